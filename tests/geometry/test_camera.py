import math

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera, to_camera


def points(rng):
    return torch.randn(7, 3, generator=rng) * 50 - torch.tensor([0.0, 0.0, 600.0])


def test_unproject_inverts_project(rng):
    camera, seen = Camera.facing((480, 640)), points(rng)
    torch.testing.assert_close(camera.unproject(camera.project(seen)), seen, atol=1e-3, rtol=0)


def test_the_axis_meets_the_middle_and_up_is_up():
    camera = Camera.facing((480, 640), focal=1000.0)
    screen = camera.project(torch.tensor([[0.0, 0, -500], [10, 0, -500], [0, 10, -500]]))
    want = torch.tensor([[320.0, 240, 500], [340, 240, 500], [320, 220, 500]])
    torch.testing.assert_close(screen, want)


def test_weak_perspective_divides_by_one_depth(rng):
    camera = Camera.facing((480, 640))
    weak = Camera(camera.focal, camera.principal, camera.size, torch.tensor(600.0))
    seen = points(rng)
    flat = torch.cat([seen[:, :2], torch.full((7, 1), -600.0)], dim=1)
    torch.testing.assert_close(weak.project(seen)[:, :2], camera.project(flat)[:, :2])
    torch.testing.assert_close(weak.unproject(weak.project(seen)), seen, atol=1e-3, rtol=0)


def test_points_at_and_behind_the_camera_have_finite_positions_that_unproject_inverts():
    camera = Camera.facing((480, 640))
    depths = torch.tensor([0.0, -0.0, 1e-12, -1e-12, 1e-4, -1e-4, 0.5, -0.5, -600.0])
    seen = torch.stack([depths + 30.0, depths - 20.0, -depths], dim=-1)
    screen = camera.project(seen)
    assert screen.isfinite().all()
    assert torch.equal(screen[6:, 2], depths[6:])
    torch.testing.assert_close(camera.unproject(screen), seen, atol=1.1e-3, rtol=1e-5)


def test_gradients_stay_finite_at_and_behind_the_camera():
    seen = torch.tensor([[5.0, 9, 0], [5, 9, 1e-30], [5, 9, 2e-3], [5, 9, 400]])
    seen.requires_grad_()
    Camera.facing((48, 64)).project(seen).square().sum().backward()
    assert seen.grad.isfinite().all()


def test_positive_yaw_turns_the_nose_to_the_right_of_the_image():
    nose = torch.tensor([[0.0, 0.0, 100.0]])
    turned = to_camera(nose, torch.tensor([0.0, math.pi / 2, 0.0]), torch.zeros(3))
    torch.testing.assert_close(turned, torch.tensor([[100.0, 0, 0]]), atol=1e-4, rtol=0)


@pytest.mark.refusal
def test_a_camera_without_focal_length_cannot_be():
    with pytest.raises(ParameterError, match="focal must be positive, got 0"):
        Camera.facing((10, 10), focal=0.0)


@pytest.mark.refusal
def test_a_camera_needs_pixels():
    with pytest.raises(ParameterError, match="size must be at least 1 x 1 pixels"):
        Camera(torch.tensor(1.0), torch.zeros(2), (0, 5))


@pytest.mark.refusal
def test_a_weak_depth_behind_the_viewer_is_refused():
    with pytest.raises(ParameterError, match="weak_depth must be positive, got -1"):
        Camera(torch.tensor(1.0), torch.zeros(2), (5, 5), torch.tensor(-1.0))


def test_a_pose_in_double_precision_moves_points_as_they_are():
    points, turn, shift = torch.rand(5, 3), torch.tensor([0.1, 0.2, 0.3]), torch.rand(3)
    moved = to_camera(points, turn.double(), shift.double())
    assert moved.dtype == torch.float32
    assert torch.equal(moved, to_camera(points, turn, shift))
