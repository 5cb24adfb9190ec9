from dataclasses import replace

import pytest

from morphface.fit.video.actor import Actor
from morphface.fit.video.keys import candidate_of, person_of
from morphface.parameters import LOST, PREDICTED
from tests.fit.video.clip import clip, marks, moving, picture

SEEN = 6


@pytest.fixture(scope="module")
def face():
    return moving(SEEN + 1)


@pytest.fixture
def actor(model, face, quick):
    """Somebody who was followed for some frames."""
    frames = clip(model, [face])
    spots = [marks(model, face, k) for k in range(SEEN)]
    keys = [candidate_of(model, frames[k], spots[k], 150.0) for k in (0, 2, 4)]
    person = person_of(0, model, keys, quick)
    actor = Actor(person, person.identity[0], quick)
    for k in range(SEEN):
        assert actor.track(frames[k], spots[k], 0) is not None
    return actor


@pytest.mark.parametrize("perfection", [1.0, 0.1, 0.0])
def test_a_face_is_carried_on_however_well_it_was_explained(actor, model, face, perfection):
    """To the last bit, too: the next frame differs by the rounding and the noise of a camera."""
    actor._usual *= perfection
    (frame,) = clip(model, [face])[SEEN:]
    followed = actor.miss(frame)
    assert followed.photometric_rmse < actor.settings.photometric.camera_noise
    assert followed.state == PREDICTED


def test_a_wall_is_no_face_though_a_camera_has_noise(actor, model, face):
    (frame,) = clip(model, [face])[SEEN:]
    wall = replace(frame, photo=picture(model, [], SEEN))
    assert actor.miss(wall).state == LOST
