from dataclasses import replace

import numpy as np
import pytest
import roma
import torch

from morphface.fit.linear.start import rough_pose
from morphface.fit.shared.gaze import eye_angles, eye_rotation
from morphface.fit.shared.projection import CAMERA, Guess, linearise, moved, project
from morphface.geometry.camera import Camera, to_camera
from morphface.models import gaze_rotation


@pytest.fixture
def guess():
    return Guess(
        rotation=roma.rotvec_to_rotmat(torch.tensor([0.3, -0.4, 0.2]).double()).numpy(),
        translation=np.array([20.0, -30.0, -600.0]),
        focal=900.0,
        depth_offset=3.0,
        depth_scale=0.9,
        coefficients=np.zeros(0),
    )


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(30, 3)) * 60.0


def test_the_screen_is_that_of_the_camera(guess, points):
    camera = Camera.facing((480, 640), focal=guess.focal)
    turn = roma.rotmat_to_rotvec(torch.from_numpy(guess.rotation))
    seen = to_camera(torch.from_numpy(points), turn, torch.from_numpy(guess.translation))
    screen = camera.project(seen).numpy()
    ours = project(points, guess)[:, :2] * [1.0, -1.0] + [320.0, 240.0]
    np.testing.assert_allclose(ours, screen[:, :2], atol=1e-9)


@pytest.mark.parametrize("unknown", range(CAMERA))
def test_derivatives_by_the_camera_are_those_of_finite_differences(guess, points, unknown):
    step = np.zeros(CAMERA)
    step[unknown] = 1e-6
    forward = project(points, moved(guess, step, guess.coefficients))
    backward = project(points, moved(guess, -step, guess.coefficients))
    camera, _ = linearise(points, guess)
    np.testing.assert_allclose(
        camera[:, :, unknown], (forward - backward) / 2e-6, rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize("axis", range(3))
def test_derivatives_by_the_points_are_those_of_finite_differences(guess, points, axis):
    shift = np.zeros(3)
    shift[axis] = 1e-4
    _, inner = linearise(points, guess)
    change = (project(points + shift, guess) - project(points - shift, guess)) / 2e-4
    np.testing.assert_allclose(inner[:, :, axis], change, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("has_depth", [True, False])
def test_a_distant_head_starts_at_its_pose(guess, points, has_depth):
    far = replace(guess, translation=np.array([0.0, 0.0, -1e6]), focal=1.5e6, depth_scale=1.0)
    seen = project(points, far) * [1.0, 1.0, -1.0]
    rotation, scale, origin = rough_pose(points, seen, np.ones(30), has_depth)
    np.testing.assert_allclose(rotation, far.rotation, atol=1e-3)
    assert scale == pytest.approx(1.5, rel=1e-3)
    np.testing.assert_allclose(origin, 0.0, atol=0.1)


def test_a_mirrored_head_does_not_start_as_a_reflection(points):
    rotation, _, _ = rough_pose(points, points * [-1.0, 1.0, 1.0], np.ones(30), True)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_with_few_points_the_start_is_the_turn_in_the_picture(points):
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    weights = (np.arange(30) < 5).astype(float)
    rotation, scale, _ = rough_pose(points, 2.0 * points @ turn.T, weights, False)
    np.testing.assert_allclose(rotation, turn, atol=1e-9)
    assert scale == pytest.approx(2.0)


@pytest.mark.parametrize("angles", [(0.0, 0.0), (0.4, -0.3), (-0.6, 0.2)])
def test_eye_rotation_is_that_of_the_model(angles):
    want = gaze_rotation(torch.tensor(angles).double()).numpy()
    np.testing.assert_allclose(eye_rotation(np.array(angles)), want, atol=1e-7)


@pytest.mark.parametrize("angles", [(0.0, 0.0), (0.5, -0.4), (-0.7, 0.3)])
def test_rays_through_a_turned_iris_give_its_angles(angles):
    rest = 12.0 * np.array([[0.05, 0.1, 1.0], [0.3, 0.1, 0.95], [-0.2, 0.1, 0.97]])
    origin = np.array([40.0, -20.0, 500.0])
    seen = rest @ eye_rotation(np.array(angles)).T
    found = eye_angles(rest, origin, 3.0 * (seen - origin))
    np.testing.assert_allclose(found, angles, atol=1e-9)


def test_rays_that_miss_the_eye_still_give_a_gaze_within_reach():
    rest = np.array([[0.0, 0.0, 12.0]])
    origin = np.array([0.0, 0.0, 500.0])
    ray = np.array([[20.0, 0.0, 0.0]]) - origin
    yaw, pitch = eye_angles(rest, origin, ray)
    assert np.isfinite([yaw, pitch]).all()
    assert 0.5 < yaw <= np.radians(50)
