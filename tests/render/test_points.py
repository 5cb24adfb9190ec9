"""Key points of a mesh, and how what is around them turns."""

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import flow_between
from morphface.render.maps.scene import posed
from morphface.render.points import NUMBERS, affine_maps, key_vertices, points_between

COUNT, SIDE = 15, 256
CAMERA = Camera.facing((SIDE, SIDE), focal=2.2 * SIDE)


def screens(yaw):
    face = FaceParameters.neutral()
    face.rotation[:, 1] = yaw
    return CAMERA.project(posed(load_model(), face))


def test_points_are_spread_over_the_front_of_the_face():
    model = load_model()
    keys = key_vertices(model, COUNT)
    mean = model.identity.mean[keys.index]
    assert float(mean[0, 2]) == float(mean[:, 2].max())
    apart = torch.cdist(mean, mean) + 1e3 * torch.eye(COUNT)
    assert float(apart.min()) > 15
    for vertex, ring in zip(keys.index, keys.ring, strict=True):
        far = (model.identity.mean[ring] - model.identity.mean[vertex]).norm(dim=1)
        assert 0 < float(far.max()) < 25


def test_affine_motion_is_found_exactly():
    keys, here = key_vertices(load_model(), COUNT), screens(0.1)[..., :2] / SIDE
    turn = torch.tensor([[0.9, -0.4], [0.3, 1.2]])
    maps = affine_maps(here, here @ turn.T + 0.3, keys)
    shrunk = turn + (torch.eye(2) - turn) * 2e-3  # seen edge-on they would be less turned
    torch.testing.assert_close(maps, shrunk.expand_as(maps), rtol=0, atol=0.02)
    still = points_between(load_model(), screens(0.2), screens(0.2), COUNT, (SIDE, SIDE))
    here, there, still_maps = still.unflatten(1, (COUNT, NUMBERS)).split((2, 2, 4), dim=2)
    assert torch.equal(here, there)
    torch.testing.assert_close(still_maps, torch.eye(2).flatten().expand_as(still_maps))


def test_maps_are_the_differences_of_projected_motion():
    """Beside those of the flow between two pictures of the mesh, pixel by pixel."""
    model, (source, target) = load_model(), (screens(0.15), screens(-0.05))
    told = points_between(model, source, target, COUNT, (SIDE, SIDE))
    here, there, maps = told.unflatten(1, (COUNT, NUMBERS))[0].split((2, 2, 4), dim=1)
    pixels = flow_between(model.faces, source, target, (SIDE, SIDE))
    flow, step = pixels.flow[0], 4
    apart, off = [], []
    for point, goal, turn in zip(here, there, maps.unflatten(1, (2, 2)), strict=True):
        x, y = ((point + 1) * SIDE / 2).long().tolist()
        cross = [(y, x + step), (y, x - step), (y + step, x), (y - step, x)]
        if not all(pixels.visible[0][at] for at in cross):
            continue
        right, left, down, up = (flow[at] for at in cross)
        wanted = torch.stack([right - left, down - up], dim=1) / (2 * step) + torch.eye(2)
        apart.append(float((turn - wanted).abs().max()))
        off.append(float(((goal - point) * SIDE / 2 - flow[y, x]).abs().max()))
    assert len(apart) >= 10
    assert sorted(off)[len(off) // 2] < 0.2  # the pixel's centre is beside the point
    assert sorted(apart)[len(apart) // 2] < 0.08  # folds of lids and lips within four pixels differ
    turned = float((maps.unflatten(1, (2, 2)) - torch.eye(2)).abs().amax((1, 2)).median())
    assert turned > 0.1


@pytest.mark.refusal
def test_more_points_than_there_are_are_refused():
    with pytest.raises(ParameterError, match=r"count must be from 1 to \d+ points, got 99999"):
        key_vertices(load_model(), 99999)
