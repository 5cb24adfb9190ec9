"""Pictures through a lens and back."""

import numpy as np
import torch

from morphface.geometry.intrinsics import Intrinsics
from morphface.media.photo import Photo
from morphface.media.undistort import undistorted

LENS = Intrinsics(150.0, 156.0, 84.0, 58.0, -0.2, 0.05, 0.003, -0.002)
DOTS = torch.tensor([[84.0, 58.0], [40.5, 30.5], [130.0, 90.0], [30.0, 95.0], [140.0, 20.0]])


def blobs(places, size=(120, 160)):
    y, x = torch.meshgrid(torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5, indexing="ij")
    total = torch.zeros(size)
    for place in places:
        total += torch.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 8)
    return total.clamp(0, 1)[..., None].expand(-1, -1, 3).contiguous()


def centre_near(picture, place):
    x0, y0 = (int(v) - 6 for v in place)
    part = picture[y0 : y0 + 13, x0 : x0 + 13, 0]
    x, y = torch.arange(13) + x0 + 0.5, torch.arange(13) + y0 + 0.5
    return torch.stack([(part.sum(0) * x).sum(), (part.sum(1) * y).sum()]) / part.sum()


def test_what_the_lens_moved_is_where_a_pinhole_camera_sees_it():
    taken = Photo(blobs(LENS.distorted(DOTS)))
    straight = undistorted(taken, LENS).pixels
    for dot in DOTS:
        assert (centre_near(straight, dot) - dot).norm() < 0.2
    assert (LENS.distorted(DOTS) - DOTS).norm(dim=1).max() > 2


def test_a_straight_lens_leaves_the_photo_alone():
    photo = Photo(torch.from_numpy(np.zeros((40, 40, 3), np.uint8)))
    assert undistorted(photo, Intrinsics(50.0, 50.0, 7.0, 9.0)) is photo
