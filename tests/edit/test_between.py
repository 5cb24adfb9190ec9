"""Interpolation: endpoints, midpoints and even speed."""

from dataclasses import replace

import pytest
import roma
import torch

from morphface.edit import interpolate
from morphface.edit.pose import head_centre
from morphface.edit.spaces import Directions
from morphface.models import gaze_rotation
from tests.edit.clips import clip, same


@pytest.fixture
def ends():
    a, b = clip(1), clip(1, seed=1)
    return a, replace(b, identity=a.identity)


def test_the_ends_are_the_faces(ends):
    a, b = ends
    same(interpolate(a, b, 0.0), a, atol=1e-5)
    same(interpolate(a, b, 1.0), b, atol=1e-5)
    both = interpolate(a, b, [0.0, 1.0])
    same(both[0], a, atol=1e-5)
    same(both[1], b, atol=1e-5)


def test_the_middle_of_a_turn_is_as_far_from_both_ends(ends):
    a, b = ends
    middle = roma.rotvec_to_rotmat(interpolate(a, b, 0.5).rotation)
    first, last = (roma.rotvec_to_rotmat(f.rotation) for f in ends)
    near, far, whole = (
        roma.rotmat_geodesic_distance(*pair)
        for pair in ((first, middle), (middle, last), (first, last))
    )
    torch.testing.assert_close(near, far)
    torch.testing.assert_close(near + far, whole)


def test_the_gaze_moves_along_a_great_circle(ends):
    a, b = ends
    look = [gaze_rotation(f.gaze)[..., 2] for f in (a, interpolate(a, b, 0.5), b)]
    halfway = torch.nn.functional.normalize(look[0] + look[2], dim=-1)
    torch.testing.assert_close(look[1], halfway, atol=1e-5, rtol=0)


def test_speed_is_even_and_the_head_s_centre_moves_straight(ends):
    a, b = ends
    path = interpolate(a, b, torch.linspace(0, 1, 11))
    turn = roma.rotvec_to_rotmat(path.rotation)
    steps = roma.rotmat_geodesic_distance(turn[1:], turn[:-1])
    torch.testing.assert_close(steps, steps[:1].expand(10), atol=1e-3, rtol=0)
    moves = head_centre(path).diff(dim=0)
    torch.testing.assert_close(moves, moves[:1].expand(10, 3), atol=1e-3, rtol=0)


def test_backwards_is_the_same_way(ends):
    a, b = ends
    there, back = interpolate(a, b, [0.2, 0.7]), interpolate(b, a, [0.8, 0.3])
    same(there, back)


def test_people_are_mixed_one_face_at_a_time():
    a, b = clip(1), clip(1, seed=1)
    middle = interpolate(a, b, 0.5)
    torch.testing.assert_close(middle.identity, (a.identity + b.identity) / 2)


def test_sequences_are_mixed_frame_by_frame(ends):
    a = clip(8)
    b = replace(ends[1], identity=a.identity)
    out = interpolate(a, b, 0.3)
    same(out[5], interpolate(a[5], b, 0.3), atol=1e-5)


def test_the_chart_of_directions_is_undone():
    reference, gaze = clip(1).gaze, clip(20).gaze
    back = Directions().back(Directions().away(gaze, reference), reference)
    torch.testing.assert_close(back, gaze, atol=1e-5, rtol=0)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("t", "message"),
    [
        (1.5, r"t must be from 0 to 1, got 1\.5"),
        ([0.0, -0.5], r"t must be from 0 to 1, got -0\.5"),
        (float("nan"), "t must be finite"),
        ([[0.5]], "t must be a number or one a frame"),
        ([0.1, 0.9], "a and b differ in identity, of which a sequence has one"),
    ],
)
def test_a_bad_t_is_refused(t, message):
    with pytest.raises(ValueError, match=message):
        interpolate(clip(1), clip(1, seed=1), t)


@pytest.mark.refusal
def test_sequences_of_different_length_are_refused():
    with pytest.raises(ValueError, match="a has 5 frames, b 7 and t 1 values"):
        interpolate(clip(5), replace(clip(7), identity=clip(5).identity), 0.5)


@pytest.mark.refusal
def test_faces_of_different_models_are_refused():
    other = replace(clip(1), expression=torch.zeros(1, 10))
    with pytest.raises(ValueError, match="one model, but have 52 and 10 coefficients of expres"):
        interpolate(clip(1), other, 0.5)
