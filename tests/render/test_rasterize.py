import pytest
import torch

from morphface.core.errors import BackendError, ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.render import backends, interpolate, rasterize
from tests.render.contract import HALVES, ONE, SQUARE, soup


def test_shared_edge_leaves_no_hole(draw):
    assert draw(SQUARE, HALVES, (8, 8)).mask.all()


def test_a_fan_around_a_pixel_centre_covers_every_pixel_exactly_once(draw):
    angle = torch.arange(16) * (2 * torch.pi / 16)
    rim = torch.stack([8.5 + 40 * angle.cos(), 8.5 + 40 * angle.sin(), 10 + 0 * angle], dim=-1)
    screen = torch.cat([torch.tensor([[8.5, 8.5, 10.0]]), rim])[None]
    k = torch.arange(16)
    faces = torch.stack([torch.zeros(16).long(), k + 1, (k + 1) % 16 + 1], dim=-1)
    alone = [draw(screen, face[None], (17, 17)).mask for face in faces]
    assert (torch.stack(alone).sum(0) == 1).all()


def test_left_and_top_edges_are_inside_and_right_and_bottom_ones_outside(draw):
    screen = torch.tensor([[[1.5, 1.5, 9], [4.5, 1.5, 9], [1.5, 4.5, 9], [4.5, 4.5, 9]]])
    mask = draw(screen, HALVES, (6, 6)).mask[0]
    want = torch.zeros(6, 6, dtype=torch.bool)
    want[1:4, 1:4] = True
    assert torch.equal(mask, want)


def test_reprojecting_the_interpolated_surface_returns_the_pixel_centres(draw):
    z = SQUARE[..., 2:]
    fragments = draw(SQUARE, HALVES, (8, 8))
    point = interpolate(torch.cat([SQUARE[..., :2] * z, z], dim=-1), HALVES, fragments)[0]
    steps = torch.arange(8) + 0.5
    centres = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    torch.testing.assert_close(point[..., :2] / point[..., 2:], centres)
    torch.testing.assert_close(point[..., 2], fragments.depth[0])


def test_unprojected_depth_lies_on_the_plane_that_the_camera_sees(draw):
    camera = Camera.facing((24, 32))
    corners = torch.tensor([[-90.0, -80, -300], [100, -60, -700], [10, 90, -400]])
    fragments = draw(camera.project(corners)[None], ONE, (24, 32))
    y, x = torch.nonzero(fragments.mask[0]).unbind(1)
    seen = torch.stack([x + 0.5, y + 0.5, fragments.depth[0, y, x]], dim=-1)
    normal = torch.linalg.cross(corners[1] - corners[0], corners[2] - corners[0])
    distance = (camera.unproject(seen) - corners[0]) @ (normal / normal.norm())
    assert len(seen) > 50
    torch.testing.assert_close(distance, torch.zeros(len(seen)), atol=1e-2, rtol=0)


def test_without_perspective_weights_are_linear_on_the_screen(draw):
    fragments = draw(SQUARE, HALVES, (8, 8), perspective=False)
    point = interpolate(SQUARE, HALVES, fragments)[0]
    steps = torch.arange(8) + 0.5
    centres = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    torch.testing.assert_close(point[..., :2], centres)
    torch.testing.assert_close(point[..., 2], fragments.depth[0])


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_nearer_face_wins_whatever_the_order(draw, order, perspective):
    far, near = torch.tensor([[0.0, 0, 20], [9, 0, 20], [0, 9, 20]]), torch.tensor([0, 0, -5.0])
    screen = torch.cat([far, far + near])[None]
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]])[order]
    fragments = draw(screen, faces, (8, 8), perspective=perspective)
    assert (fragments.face[fragments.mask] == order.index(1)).all()
    assert fragments.mask.sum() > 30


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("gap", [-200.0, -0.01, 0.01, 200.0])
def test_face_seen_from_behind_hides_others_only_where_it_is_nearer(draw, gap, perspective):
    wall = torch.tensor([[-50.0, -50, 400], [-50, 200, 400], [200, -50, 400]])
    inner = torch.tensor([[0.0, 0, 400 + gap], [70, 0, 400 + gap], [0, 30, 400 + gap]])
    screen = torch.cat([wall, inner])[None]
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]])
    fragments = draw(screen, faces, (40, 70), perspective=perspective)
    alone = draw(screen, faces[1:], (40, 70), perspective=perspective).mask
    assert alone.sum() > 900
    assert torch.equal(fragments.face == 1, alone & (gap < 0))


def test_lower_face_wins_at_equal_depth(draw):
    faces = torch.tensor([[3, 2, 1], [0, 1, 2], [0, 1, 2], [3, 2, 1]])
    fragments = draw(SQUARE, faces, (8, 8))
    assert set(fragments.face.unique().tolist()) == {0, 1}


def test_faces_that_cross_split_where_their_depths_are_equal(draw):
    screen = torch.tensor([[[0.0, 0, 10], [16, 0, 30], [0, 16, 10], [16, 16, 30]]])
    flipped = screen * torch.tensor([1.0, 1, -1]) + torch.tensor([0.0, 0, 40])
    both = torch.cat([screen, flipped], dim=1)
    faces = torch.cat([HALVES, HALVES + 4])
    face = draw(both, faces, (16, 16), perspective=False).face[0]
    assert (face[:, :8] < 2).all()
    assert (face[:, 8:] >= 2).all()


def test_a_closed_mesh_has_no_holes_inside_its_outline(toy, draw):
    camera = Camera.facing((48, 48), focal=100.0)
    points = toy.identity.mean + torch.tensor([0.0, 0.0, -400.0])
    mask = draw(camera.project(points)[None], toy.faces, (48, 48)).mask[0]
    for row in mask[mask.any(dim=1)]:
        covered = torch.nonzero(row)[:, 0]
        assert row[covered[0] : covered[-1] + 1].all()


def test_culling_leaves_the_front_of_a_closed_mesh_as_it_is(toy, draw):
    camera = Camera.facing((40, 40), focal=90.0)
    screen = camera.project(toy.identity.mean + torch.tensor([0.0, 0.0, -400.0]))[None]
    both = draw(screen, toy.faces, (40, 40))
    front = draw(screen, toy.faces, (40, 40), cull=True)
    back = draw(screen, toy.faces.flip(1), (40, 40), cull=True)
    assert torch.equal(both.face, front.face)
    assert (back.depth[back.mask] > both.depth[back.mask]).float().mean() > 0.9


def test_every_image_of_a_batch_equals_itself_alone(rng, draw):
    screen, faces = soup(rng, 60, 40, batch=3)
    together = draw(screen, faces, (33, 40))
    for k in range(3):
        alone = draw(screen[k : k + 1], faces, (33, 40))
        assert torch.equal(together.face[k], alone.face[0])
        assert torch.equal(together.barycentric[k], alone.barycentric[0])
        assert torch.equal(together.depth[k], alone.depth[0])


def test_narrow_integers_and_strided_views_give_the_same(rng, draw):
    screen, faces = soup(rng, 50, 24)
    want = draw(screen, faces, (24, 24))
    strided = torch.stack([screen, screen], dim=-1)[..., 0]
    wide = torch.cat([faces, faces], dim=1)[:, :3].int()
    got = draw(strided, wide, (24, 24))
    assert torch.equal(got.face, want.face)
    assert got.face.dtype == want.face.dtype == torch.int64


def test_degenerate_face_is_invisible(draw):
    screen = torch.tensor([[[0.0, 0.5, 10], [8, 0.5, 14], [0, 8, 12], [4, 0.5, 12]]])
    faces = torch.tensor([[0, 0, 1], [0, 1, 3], [2, 2, 2], [0, 1, 2]])
    fragments = draw(screen, faces, (8, 8))
    assert set(fragments.face.unique().tolist()) == {-1, 3}
    assert fragments.barycentric.isfinite().all()


def test_slivers_keep_weights_finite_and_normalised(rng):
    screen, faces = soup(rng, 3000, 32)
    corners = screen.reshape(1, -1, 3, 3)
    corners[..., 2, :2] = corners[..., 0, :2] + 0.37 * (corners[..., 1, :2] - corners[..., 0, :2])
    fragments = rasterize(corners.reshape(1, -1, 3), faces, (32, 32))
    total = fragments.barycentric.sum(-1)
    torch.testing.assert_close(total, fragments.mask.float())
    assert (fragments.barycentric >= 0).all()


def test_off_screen_and_empty_meshes_are_background(draw):
    for screen, faces in [(SQUARE + 50, HALVES), (SQUARE - 50, HALVES), (SQUARE, HALVES[:0])]:
        fragments = draw(screen, faces, (8, 8))
        assert not fragments.mask.any()
        assert (fragments.barycentric == 0).all()
        assert fragments.depth.isposinf().all()
    empty = draw(torch.zeros(2, 0, 3), HALVES[:0], (8, 8))
    assert empty.face.shape == (2, 8, 8)
    assert draw(SQUARE[:0], HALVES, (8, 8)).face.shape == (0, 8, 8)


def test_huge_face_covers_the_screen_with_the_right_depth(draw):
    screen = torch.tensor([[[-1e6, -1e6, 10], [1e6, -1e6, 10], [0, 2e6, 10]]])
    fragments = draw(screen, ONE, (30, 50))
    assert fragments.mask.all()
    torch.testing.assert_close(fragments.depth, torch.full((1, 30, 50), 10.0))


@pytest.mark.refusal
def test_missing_axis_is_named():
    with pytest.raises(
        ShapeError, match=r"screen must have shape \(..., any, any, 3\), got \(4, 3\)"
    ):
        rasterize(SQUARE[0], HALVES, (8, 8))


@pytest.mark.refusal
def test_extra_axes_are_refused():
    with pytest.raises(ShapeError, match="screen must have 3 axes and faces 2, got 4 and 2"):
        rasterize(SQUARE[None], HALVES, (8, 8))


@pytest.mark.refusal
def test_index_without_a_vertex_is_refused():
    with pytest.raises(ParameterError, match="index the 4 vertices of screen, got .* 1 to 4"):
        rasterize(SQUARE, HALVES + 1, (8, 8))


@pytest.mark.refusal
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_positions_that_are_no_numbers_are_refused(draw, bad):
    screen = SQUARE.clone()
    screen[0, 2, 1] = bad
    with pytest.raises(ParameterError, match="screen must be finite, but 1 of 12 values are not"):
        draw(screen, HALVES, (8, 8))


@pytest.mark.refusal
def test_empty_image_is_refused():
    with pytest.raises(ParameterError, match=r"size must be at least 1 x 1 pixels, got \(0, 8\)"):
        rasterize(SQUARE, HALVES, (0, 8))


@pytest.mark.refusal
def test_unknown_backend_is_refused_with_the_known_ones():
    with pytest.raises(BackendError, match="unknown backend 'opengl', expected one of .*'cpu'"):
        rasterize(SQUARE, HALVES, (8, 8), backend="opengl")


@pytest.mark.refusal
def test_backend_of_another_device_is_refused():
    with pytest.raises(BackendError, match="backend 'cpu' cannot rasterize tensors on cuda"):
        backends.select("cpu", torch.device("cuda"))
