import numpy as np
import pytest

from morphface.core.errors import ParameterError
from morphface.landmarks.parts import face_graph
from morphface.synthetic import Dice
from morphface.synthetic.crowds import Crowds, mirrored, random_points

SIZE = (96, 128)


@pytest.fixture(scope="module")
def crowds(few_heads):
    return Crowds(few_heads, 2, SIZE)


def test_the_same_number_is_the_same_crowd(few_heads, crowds):
    one, other = crowds.crowd(3), Crowds(few_heads, 2, SIZE).crowd(3)
    np.testing.assert_array_equal(one.picture, other.picture)
    np.testing.assert_array_equal(one.points, other.points)
    assert not np.array_equal(one.picture, crowds.crowd(4).picture)


def test_what_is_visible_is_in_the_picture(crowds):
    for number in range(8):
        crowd = crowds.crowd(number)
        shown = crowd.points[crowd.visible]
        assert (shown >= 0).all()
        assert (shown <= [SIZE[1], SIZE[0]]).all()


def test_a_mirror_of_a_mirror_is_the_crowd_itself(crowds):
    crowd = crowds.crowd(5)
    again = mirrored(mirrored(crowd))
    np.testing.assert_array_equal(again.picture, crowd.picture)
    np.testing.assert_allclose(again.points, crowd.points)
    np.testing.assert_array_equal(again.visible, crowd.visible)


def test_nearer_people_hide_those_behind(few_heads):
    alone = few_heads.visible.float().mean().item()
    packed = Crowds(few_heads, 2, SIZE, people=30, clean=True)
    seen = np.concatenate([packed.crowd(k).visible for k in range(3)]).mean()
    assert seen < 0.8 * alone


def test_the_number_of_people_is_what_was_asked_for(few_heads):
    for people in (0, 1, 7, 30):
        assert len(Crowds(few_heads, 2, SIZE, people=people).crowd(0).points) == people


@pytest.fixture(scope="module")
def flat():
    """Parts on a plane, as good as any for where they are."""
    return np.random.default_rng(0).normal(0, 40, (18, 3)) * [1, 1, 0.3]


def test_parts_of_a_kind_stay_apart(flat):
    graph = face_graph("face")
    crowd = random_points(flat, graph, 5, (368, 496), Dice(1), heights=(30, 60), apart=24)
    for k in range(18):
        own = crowd.points[crowd.visible[:, k], k]
        away = np.linalg.norm(own[:, None] - own[None], axis=-1) + 1e3 * np.eye(len(own))
        assert away.min(initial=1e3) >= 24


@pytest.mark.refusal
def test_what_cannot_be_is_refused(few_heads, flat):
    with pytest.raises(ParameterError, match="crowds need 32 pixels or more and 0 to 30 people"):
        Crowds(few_heads, 0, (16, 64))
    with pytest.raises(ParameterError, match="crowds need 32 pixels or more and 0 to 30 people"):
        Crowds(few_heads, 0, SIZE, people=31)
    with pytest.raises(ParameterError, match="there is no room for 2 faces in 40 x 40 pixels"):
        random_points(flat, face_graph("face"), 2, (40, 40), Dice(0), heights=(60, 90))
