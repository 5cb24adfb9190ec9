"""Calibrated cameras, against OpenCV's own distortion."""

import cv2
import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera
from morphface.geometry.intrinsics import Intrinsics

LENS = Intrinsics(500.0, 520.0, 330.0, 250.0, -0.25, 0.08, 0.002, -0.003, -0.01, size=(480, 640))
RATIONAL = Intrinsics(500.0, 500.0, 320.0, 240.0, 0.4, 0.1, 0.001, 0.0, 0.02, 0.7, 0.2, 0.03)
SIZE = (480, 640)


def points(count=50):
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.uniform((20, 20), (620, 460), (count, 2)))


def by_opencv(lens, flat):
    """Where OpenCV projects points of the plane at distance 1."""
    matrix = np.array([[lens.fx, 0, lens.cx], [0, lens.fy, lens.cy], [0, 0, 1.0]])
    names = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
    bend = np.array([getattr(lens, name) for name in names])
    space = np.column_stack([flat, np.ones(len(flat))])
    return cv2.projectPoints(space, np.zeros(3), np.zeros(3), matrix, bend)[0][:, 0]


@pytest.mark.parametrize("lens", [LENS, RATIONAL], ids=["radial and tangential", "rational"])
def test_distortion_is_opencvs_and_is_undone(lens):
    pinhole = lens.camera(SIZE)
    seen = points()
    flat = (seen - pinhole.principal) / pinhole.focal
    want = by_opencv(lens, flat.numpy())
    np.testing.assert_allclose(lens.distorted(seen), want, atol=1e-3)
    torch.testing.assert_close(lens.undistorted(lens.distorted(seen)), seen, atol=1e-3, rtol=0)


def test_a_turned_picture_has_the_turned_camera():
    seen = points()
    for mirror, turns in [(False, 1), (False, 2), (True, 0), (True, 3)]:
        x, y = seen.unbind(dim=-1)
        x = SIZE[1] - x if mirror else x
        height, width = SIZE
        for _ in range(turns):
            x, y, height, width = y, width - x, width, height
        moved = LENS.moved(SIZE, mirror, turns)
        assert moved.size == (height, width)
        there = moved.undistorted(torch.stack([x, y], dim=-1)) - torch.tensor([moved.cx, moved.cy])
        here = LENS.undistorted(seen) - torch.tensor([LENS.cx, LENS.cy])
        torch.testing.assert_close(there.norm(dim=1), here.norm(dim=1), atol=1e-3, rtol=0)


def test_four_turns_and_two_mirrors_are_none():
    assert LENS.moved(SIZE, False, 4) == LENS
    twice = LENS.moved(SIZE, True, 0).moved(SIZE, True, 0)
    assert twice == LENS


def test_another_size_of_the_picture_scales_the_camera():
    half = LENS.of_picture((240, 320))
    seen = points()
    torch.testing.assert_close(half.undistorted(seen / 2), LENS.undistorted(seen) / 2)


def test_numbers_as_text_and_a_pinhole_camera():
    assert Intrinsics.parse("500,520,330,250") == Intrinsics(500.0, 520.0, 330.0, 250.0)
    assert Intrinsics.parse("500, 520, 330, 250, .1, 0, 0, 0, -.2").k3 == -0.2
    camera = Camera(torch.tensor(900.0), torch.tensor([-150.0, 200.0]), (400, 400))
    lens = Intrinsics.of(camera)
    assert lens.straight
    assert not LENS.straight
    again = lens.camera((400, 400))
    torch.testing.assert_close(again.focal, camera.focal)
    torch.testing.assert_close(again.principal, camera.principal)


@pytest.mark.refusal
def test_what_is_no_camera_is_refused():
    for text in ("", "500", "a,b,c,d", "1,2,3,4,5"):
        with pytest.raises(ParameterError, match="a camera is fx,fy,cx,cy in pixels, with k1"):
            Intrinsics.parse(text)
    with pytest.raises(ParameterError, match="positive focal lengths, got cx nan, fx 0"):
        Intrinsics(0.0, 1.0, float("nan"), 0.0)
    with pytest.raises(ParameterError, match="pictures of 640 x 480 pixels, but this one has 400"):
        LENS.of_picture((400, 400))
    weak = Camera(torch.tensor(1.0), torch.zeros(2), (4, 4), torch.tensor(1.0))
    with pytest.raises(ParameterError, match="must be one perspective camera, got a weak one"):
        Intrinsics.of(weak)
