import math

import pytest
import roma
import torch

from morphface.core.errors import ShapeError
from morphface.geometry.angles import angles_to_rotvec, rotvec_to_angles
from morphface.geometry.camera import Camera, to_camera
from morphface.models import gaze_rotation

NOSE = torch.tensor([[0.0, 0.0, 100.0]])
CROWN = torch.tensor([[0.0, 100.0, 0.0]])


def on_screen(point, angles):
    rotation = angles_to_rotvec(torch.tensor(angles))
    camera = Camera.facing((400, 400))
    return camera.project(to_camera(point, rotation, torch.tensor([0.0, 0.0, -600.0])))[0]


def test_positive_yaw_turns_the_face_to_the_right_of_the_image():
    assert on_screen(NOSE, [0.3, 0.0, 0.0])[0] > 210


def test_positive_pitch_turns_the_face_up():
    assert on_screen(NOSE, [0.0, 0.3, 0.0])[1] < 190


def test_positive_roll_tilts_the_crown_to_the_left_of_the_image():
    assert on_screen(CROWN, [0.0, 0.0, 0.3])[0] < 190


def test_angles_to_rotation_and_back_is_identity(rng):
    angles = (torch.rand(500, 3, generator=rng, dtype=torch.float64) - 0.5) * 3.1
    torch.testing.assert_close(rotvec_to_angles(angles_to_rotvec(angles)), angles)


def test_rotation_to_angles_and_back_is_the_same_rotation(rng):
    rotation = torch.randn(500, 3, generator=rng, dtype=torch.float64)
    back = angles_to_rotvec(rotvec_to_angles(rotation))
    gap = roma.rotvec_geodesic_distance(back, rotation)
    torch.testing.assert_close(gap, torch.zeros_like(gap), atol=1e-7, rtol=0)


@pytest.mark.parametrize("pitch", [math.pi / 2, -math.pi / 2])
def test_looking_straight_up_or_down_keeps_the_rotation_and_has_no_roll(pitch):
    rotation = angles_to_rotvec(torch.tensor([0.4, pitch, 0.2], dtype=torch.float64))
    angles = rotvec_to_angles(rotation)
    assert angles[2] == 0
    gap = roma.rotvec_geodesic_distance(angles_to_rotvec(angles), rotation)
    assert gap < 1e-6


def test_without_roll_head_and_eyes_turn_alike(rng):
    gaze = (torch.rand(20, 2, generator=rng) - 0.5) * 2
    rotation = angles_to_rotvec(torch.cat([gaze, torch.zeros(20, 1)], dim=-1))
    torch.testing.assert_close(roma.rotvec_to_rotmat(rotation), gaze_rotation(gaze))


@pytest.mark.refusal
def test_missing_axis_is_named():
    with pytest.raises(ShapeError, match=r"rotation must have shape \(..., 3\), got \(4,\)"):
        rotvec_to_angles(torch.zeros(4))
    with pytest.raises(ShapeError, match=r"angles must have shape"):
        angles_to_rotvec(torch.zeros(2))
