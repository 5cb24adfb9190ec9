"""What lies partly behind the camera: cut at the near plane, and said of the whole face."""

from importlib import import_module

import pytest
import torch

from morphface.geometry.camera import Camera
from morphface.render import interpolate, rasterize
from morphface.render.backends import NEAR
from tests.render.contract import HALVES, ONE, SQUARE, same, soup

CAMERA = Camera.facing((30, 40), focal=25.0)
HEIGHT = 50.0  # of the camera above the floor


def pixels():
    y, x = torch.meshgrid(torch.arange(30) + 0.5, torch.arange(40) + 0.5, indexing="ij")
    return x, y


def floor(rng, cells):
    """A horizontal plane far to all sides of the camera, of `cells` x `cells` uneven squares."""
    steps = torch.linspace(-1, 1, cells + 1)
    x, z = torch.meshgrid(steps, steps, indexing="ij")
    jitter = (torch.rand(2, *x.shape, generator=rng) - 0.5) * 0.8 / cells
    inner = (x.abs() < 0.99) & (z.abs() < 0.99)
    x, z = x + jitter[0] * inner, z + jitter[1] * inner
    points = torch.stack([x, torch.full_like(x, -HEIGHT / 2000), z], dim=-1).reshape(-1, 3) * 2000
    k = torch.arange(cells)[:, None] * (cells + 1) + torch.arange(cells)
    a, b, c, d = k, k + 1, k + cells + 1, k + cells + 2
    faces = torch.stack([torch.stack([a, b, c], -1), torch.stack([d, c, b], -1)]).reshape(-1, 3)
    return points, faces


@pytest.mark.parametrize("cells", [1, 2, 9])
def test_a_floor_under_the_camera_is_seen_up_to_its_far_end_at_its_true_depth(rng, draw, cells):
    points, faces = floor(rng, cells)
    found = draw(CAMERA.project(points)[None], faces, (30, 40))
    _, y = pixels()
    depth = 25.0 * HEIGHT / (y - 15.0)
    seen = (depth > 0) & (depth < 1999)
    assert torch.equal(found.mask[0], seen)
    torch.testing.assert_close(found.depth[0][seen], depth[seen], rtol=1e-4, atol=0)


@pytest.mark.parametrize("cells", [1, 9])
def test_weights_are_those_of_the_whole_face(rng, draw, cells):
    points, faces = floor(rng, cells)
    found = draw(CAMERA.project(points)[None], faces, (30, 40))
    where = interpolate(points[None], faces, found)[found.mask]
    x, y = pixels()
    centres = torch.stack([x, y], dim=-1)[found.mask[0]]
    torch.testing.assert_close(CAMERA.project(where)[:, :2], centres, atol=0.02, rtol=0)
    torch.testing.assert_close(found.barycentric.sum(-1), found.mask.float(), atol=1e-4, rtol=0)


def test_cut_faces_cover_each_pixel_once(rng, draw):
    points, faces = floor(rng, 4)
    screen = CAMERA.project(points)[None]
    alone = [draw(screen, face[None], (30, 40)).mask for face in faces]
    assert torch.equal(torch.stack(alone).sum(0) > 0, draw(screen, faces, (30, 40)).mask)
    assert torch.stack(alone).sum(0).max() == 1


def test_pieces_keep_the_side_of_their_face(rng, draw):
    points, faces = floor(rng, 3)
    screen = CAMERA.project(points)[None]
    seen = draw(screen, faces, (30, 40)).mask
    above = draw(screen, faces, (30, 40), cull=True).mask
    below = draw(screen, faces.flip(1), (30, 40), cull=True).mask
    assert torch.equal(above | below, seen)
    assert not (above & below).any()
    assert above.any() != below.any()


def test_the_near_plane_bounds_what_is_seen(draw):
    # A wall from before the camera to behind it, to the right of the axis.
    wall = torch.tensor([[0.49, -90.0, -90], [0.49, 90, -90], [0.49, -90, 90], [0.49, 90, 90]])
    found = draw(CAMERA.project(wall)[None], HALVES, (30, 40))
    x, _ = pixels()
    depth = 25.0 * 0.49 / (x - 20.0)
    seen = (depth >= NEAR) & (depth < 90)
    assert 0 < seen.sum() < 400
    assert torch.equal(found.mask[0], seen)
    assert (found.depth >= NEAR * 0.999).all()


def test_of_cut_faces_at_equal_depth_the_lowest_index_wins(rng, draw):
    points, faces = floor(rng, 2)
    near = torch.tensor([[-5.0, -20, -40], [5, -20, -40], [0, -10, -40]])
    whole = torch.arange(3) + len(points)
    both = torch.cat([whole[None], faces, faces, whole[None]])
    face = draw(CAMERA.project(torch.cat([points, near]))[None], both, (30, 40)).face
    assert 0 < face.max() <= len(faces)
    assert (face == 0).sum() > 10


def test_faces_wholly_behind_the_camera_are_not_seen(rng, draw):
    screen, faces = soup(rng, 50, 40)
    screen[..., 2] *= -1
    found = draw(screen, faces, (30, 40))
    assert not found.mask.any()
    assert found.depth.isposinf().all()
    grazing = torch.tensor([[[4.0, 4, -3], [30, 4, NEAR / 2], [4, 25, NEAR / 2]]])
    assert not draw(grazing, ONE, (30, 40)).mask.any()


def test_a_corner_in_the_plane_of_the_camera_is_cut_off(draw):
    corners = torch.tensor([[-40.0, -30, -60], [40, -30, -60], [0, 5, 0]])
    found = draw(CAMERA.project(corners)[None], ONE, (30, 40))
    normal = torch.linalg.cross(corners[1] - corners[0], corners[2] - corners[0])
    x, y = pixels()
    rays = torch.stack([(x - 20) / 25, -(y - 15) / 25, -torch.ones_like(x)], dim=-1)
    depth = (corners[0] @ normal) / (rays @ normal)
    assert found.mask.sum() > 200
    torch.testing.assert_close(found.depth[found.mask], depth[found.mask[0]], rtol=1e-3, atol=0)


def test_images_of_a_batch_are_cut_each_for_itself(rng, draw):
    points, faces = floor(rng, 3)
    moved = [points, points - torch.tensor([0.0, 0, 2500]), points + torch.tensor([0.0, 0, 2500])]
    screen = CAMERA.project(torch.stack(moved))
    together = draw(screen, faces, (30, 40))
    assert together.mask.flatten(1).any(1).tolist() == [True, True, False]
    for k in range(3):
        assert same(
            together.detach().map(lambda t, k=k: t[k : k + 1]),
            draw(screen[k : k + 1], faces, (30, 40)),
        )


def test_weak_perspective_has_no_near_plane(draw):
    shift = torch.tensor([0.0, 0, 500])
    want = draw(SQUARE, HALVES, (8, 8), perspective=False)
    found = draw(SQUARE - shift, HALVES, (8, 8), perspective=False)
    assert torch.equal(found.face, want.face)
    torch.testing.assert_close(found.depth, want.depth - 500)


def test_nothing_is_cut_when_nothing_crosses(monkeypatch):
    def fail(*_, **__):
        raise AssertionError("there is nothing to cut")

    want = rasterize(SQUARE, HALVES, (8, 8))
    monkeypatch.setattr(import_module("morphface.render.rasterize"), "clipped", fail)
    assert same(rasterize(SQUARE, HALVES, (8, 8)), want)
