from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera, to_camera
from morphface.render.relief import Relief, membrane
from tests.toy import sphere

SIZE = (120, 160)


@pytest.fixture(scope="module")
def relief():
    unit, faces = sphere(24, 32)
    vertices = unit * 60 + torch.tensor([0.0, 0.0, -600.0])
    camera = Camera.facing(SIZE, focal=300.0)
    inside = (0.0, 0.0, 160.0, 120.0)
    return Relief(camera, vertices, faces, torch.ones(len(unit)), inside, spacing=2.0, reach=12.0)


def nothing(relief):
    return relief.vertices.new_zeros(len(relief.vertices), 0)


def about_centre(relief, rotation):
    centre = relief.vertices.mean(0)
    turn = torch.tensor(rotation)
    return to_camera(relief.vertices - centre, turn, centre)


def test_a_membrane_is_flat_between_two_walls():
    values, fixed = torch.zeros(21, 33, 1), torch.zeros(21, 33, dtype=torch.bool)
    fixed[:, [0, -1]] = True
    values[:, -1] = 32.0
    found = membrane(values, fixed)[..., 0]
    torch.testing.assert_close(found, torch.arange(33.0).expand(21, 33), atol=1.7, rtol=0)


def test_a_membrane_stays_within_what_holds_it_and_keeps_it():
    rng = torch.Generator().manual_seed(0)
    values = torch.rand(40, 50, 2, generator=rng)
    fixed = torch.rand(40, 50, generator=rng) < 0.1
    found = membrane(values, fixed)
    assert torch.equal(found[fixed], values[fixed])
    assert found.amin() >= values[fixed].amin() - 1e-6
    assert found.amax() <= values[fixed].amax() + 1e-6


def test_what_does_not_move_has_no_flow(relief):
    flow, _ = relief.flow(relief.vertices, relief.vertices, nothing(relief))
    assert torch.equal(flow, torch.zeros(*SIZE, 2))


def test_the_mesh_takes_the_picture_along_and_the_border_stays(relief):
    moved = relief.vertices + torch.tensor([16.0, 0.0, 0.0])  # 8.9 pixels in front
    flow, _ = relief.flow(moved, moved, nothing(relief))
    torch.testing.assert_close(flow[60, 85], torch.tensor([-8.9, 0.0]), atol=0.4, rtol=0)
    assert flow[0].abs().max() < 0.3
    assert flow[:, 0].abs().max() < 0.3
    assert flow[:, -1].abs().max() < 0.3


@pytest.mark.parametrize("turn", [(0.0, 0.5, 0.0), (0.4, 0.0, 0.0), (0.0, -0.3, 0.4)])
def test_the_moved_picture_has_no_hole_and_nothing_far_is_fetched(relief, turn):
    moved = about_centre(relief, turn)
    held = torch.ones(len(moved), 1)
    flow, carried = relief.flow(moved, moved, held)
    assert flow.isfinite().all()
    assert flow.abs().max() < 60
    assert carried[60, 80] == pytest.approx(1.0, abs=1e-3)


def test_what_is_behind_the_mesh_is_never_mirrored(relief):
    moved = relief.vertices + torch.tensor([24.0, 0.0, 0.0])
    flow, _ = relief.flow(moved, moved, nothing(relief))
    place = flow[..., 0] + torch.arange(160.0) + 0.5
    assert (place.diff(dim=1) > 0).all()


def test_an_expression_ends_at_its_reach(relief):
    moved = relief.vertices.clone()
    front = relief.vertices[:, 2] > -560
    moved[front] += torch.tensor([0.0, 6.0, 0.0])
    flow, _ = relief.flow(moved, relief.vertices, nothing(relief))
    assert flow.abs().max() > 1.5
    y, x = torch.meshgrid(torch.arange(120.0) - 60, torch.arange(160.0) - 80, indexing="ij")
    far = torch.hypot(x, y) > 30 + 12 + 8
    assert torch.equal(flow[far], torch.zeros_like(flow[far]))


def test_vertices_that_do_not_hold_leave_the_picture_alone(relief):
    loose = replace(relief, holds=torch.zeros_like(relief.holds))
    moved = relief.vertices + torch.tensor([16.0, 0.0, 0.0])
    flow, _ = loose.flow(moved, moved, nothing(relief))
    assert torch.equal(flow, torch.zeros(*SIZE, 2))


@pytest.mark.refusal
def test_bad_arguments_are_refused(relief):
    with pytest.raises(ParameterError, match="spacing must be positive, got 0"):
        replace(relief, spacing=0.0)
    with pytest.raises(ShapeError, match="holds must have shape"):
        replace(relief, holds=torch.ones(3))
