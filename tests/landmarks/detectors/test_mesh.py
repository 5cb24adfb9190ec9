import math

import pytest
import torch

from morphface.landmarks import outer_eye_distance
from morphface.landmarks.detectors.mesh import read_mesh
from morphface.landmarks.unseen import follow_mesh
from morphface.media.images import Photo


def apart(a, b):
    return float((a.points - b.points).norm(dim=-1).mean() / outer_eye_distance(b.points, "478"))


def test_it_puts_the_points_where_the_detector_does(detector, astronaut):
    (direct,) = detector.detect(astronaut)
    read = read_mesh(astronaut, direct.box)
    assert read.presence > 0.99
    assert apart(read.face, direct) < 0.02
    depth = read.face.depth - read.face.depth.mean(), direct.depth - direct.depth.mean()
    assert float((depth[0] - depth[1]).abs().mean()) < 0.05 * float(depth[1].abs().max())


@pytest.mark.parametrize("turns", [1, 2])
def test_a_turned_face_is_turned_back(detector, astronaut, turns):
    (direct,) = detector.detect(astronaut)
    height = astronaut.size[0]
    x, y = direct.points.T
    corner = torch.stack([y, height - x], dim=1) if turns == 1 else height - direct.points
    (left, top), (right, bottom) = corner.amin(dim=0).tolist(), corner.amax(dim=0).tolist()
    turned = Photo(torch.rot90(astronaut.pixels, turns).contiguous())
    read = read_mesh(turned, (left, top, right, bottom), -turns * math.pi / 2)
    assert read.presence > 0.99
    distance = (read.face.points - corner).norm(dim=-1).mean()
    assert distance < 0.03 * outer_eye_distance(direct.points, "478")


def test_where_nobody_is_it_says_so(astronaut):
    assert read_mesh(astronaut, (10.0, 380.0, 110.0, 480.0)).presence < 0.1
    assert follow_mesh(astronaut, (10.0, 380.0, 110.0, 480.0)) is None
    assert read_mesh(astronaut, (10.0, 380.0, 10.0, 380.0)) is None


def test_a_face_that_moved_a_little_is_followed(detector, astronaut):
    (direct,) = detector.detect(astronaut)
    left, top, right, bottom = direct.box
    shift = 0.15 * (right - left)
    face = follow_mesh(astronaut, (left + shift, top - shift, right + shift, bottom - shift))
    assert apart(face, direct) < 0.02
