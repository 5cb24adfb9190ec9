from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.render import interpolate, rasterize, sample_texture, screen_derivatives, sight
from morphface.render.sight import Sight
from morphface.render.unwrap import pad_charts, rasterize_uv, sample_photo, unwrap
from tests.toy import sphere

SIZE = (150, 200)


def dome(side=30):
    """A bulging sheet half a metre away, with texture coordinates that are its parameters."""
    v, u = torch.meshgrid(torch.linspace(0, 1, side), torch.linspace(0, 1, side), indexing="ij")
    uv = torch.stack([u, v], dim=-1).reshape(-1, 2)
    x, y = (uv * 2 - 1).unbind(-1)
    points = torch.stack([x * 120, y * 90, -500 + 70 * (1 - x**2 - y**2)], dim=-1)
    first = (torch.arange(side - 1)[:, None] * side + torch.arange(side - 1)).reshape(-1)
    right, up = first + 1, first + side
    lower, upper = torch.stack([first, right, up], 1), torch.stack([up + 1, up, right], 1)
    return points, torch.cat([lower, upper]), uv


def waves(uv):
    """A smooth pattern."""
    phase = uv @ torch.tensor([[9.0, 4, -5], [3.0, 11, 8]])
    return 0.5 + 0.45 * torch.sin(phase)


def texture_of(size):
    """`waves` as a picture, rows from top to bottom."""
    step = (torch.arange(size) + 0.5) / size
    v, u = torch.meshgrid(1 - step, step, indexing="ij")
    return waves(torch.stack([u, v], dim=-1))


def photo_of(points, faces, uv, camera, texture):
    screen = camera.project(points)[None]
    perspective = camera.weak_depth is None
    found = rasterize(screen, faces, camera.size, perspective=perspective)
    place = interpolate(uv[None], faces, found)
    slopes = screen_derivatives(uv[None], faces, screen, faces, found, perspective=perspective)
    return sample_texture(texture[None], place, derivatives=slopes, mask=found.mask)[0]


def seen(pixels, camera, points, faces):
    """What a photo shows of a mesh's vertices."""
    look = Sight(pixels, camera, points, faces)
    return sample_photo(look, points, vertex_normals(points, faces))


@pytest.fixture(params=["perspective", "weak"])
def camera(request):
    camera = Camera.facing(SIZE, focal=400.0)
    weak = torch.tensor(470.0) if request.param == "weak" else None
    return replace(camera, weak_depth=weak)


def test_a_texture_comes_back_from_a_photo_of_it(camera):
    points, faces, uv = dome()
    texture = texture_of(128)
    pixels = photo_of(points, faces, uv, camera, texture)
    found = unwrap(Sight(pixels, camera, points, faces), uv, faces, 64)
    sure = found.confidence > 0.5
    error = (found.colour - texture_of(64)).abs().amax(-1)
    assert sure.float().mean() > 0.7
    assert error[sure].max() < 0.03
    assert error[sure].median() < 0.006


def test_points_have_the_colours_of_the_texture_there(camera):
    points, faces, uv = dome()
    pixels = photo_of(points, faces, uv, camera, texture_of(128))
    found = seen(pixels, camera, points, faces)
    sure = found.confidence > 0.5
    assert sure.sum() > 500
    assert (found.colour - waves(uv)).abs()[sure].max() < 0.03


def hits(origins, points, corners):
    """Whether a face lies between `origins` and `points`, ray by ray (Moeller, Trumbore 1997)."""
    ray = (points - origins)[:, None]
    a, b, c = (corners[None, :, k] for k in range(3))
    edge, other, offset = b - a, c - a, origins[:, None] - a
    across = torch.linalg.cross(ray, other.expand(len(ray), -1, -1))
    volume = (edge * across).sum(-1)
    first = (offset * across).sum(-1) / volume
    around = torch.linalg.cross(offset, edge.expand(len(ray), -1, -1))
    second = (ray * around).sum(-1) / volume
    distance = (other * around).sum(-1) / volume
    inside = (first >= 0) & (second >= 0) & (first + second <= 1)
    return (inside & (distance > 1e-3) & (distance < 0.99)).any(1)


def test_what_rays_do_not_reach_is_not_trusted(camera):
    sheet, sheet_faces, _ = dome()
    unit, ball_faces = sphere(12, 16)
    ball = unit * 30 + torch.tensor([25.0, 10, -330])
    points = torch.cat([sheet, ball])
    faces = torch.cat([sheet_faces, ball_faces + len(sheet)])
    found = seen(torch.ones(*SIZE, 3), camera, points, faces)
    weak = camera.weak_depth is not None
    origins = points * torch.tensor([1.0, 1, 0]) if weak else torch.zeros_like(points)
    away = points * torch.tensor([0.0, 0, 1]) if weak else points
    facing = (vertex_normals(points, faces) * -away).sum(-1) > 0
    x, y = camera.project(points)[:, :2].unbind(-1)
    inside = (x >= 0) & (y >= 0) & (x < SIZE[1]) & (y < SIZE[0])
    reached = ~hits(origins, points, points[faces]) & facing & inside
    assert (~reached[: len(sheet)] & inside[: len(sheet)]).sum() > 50
    assert (found.confidence[~reached] == 0).all()
    assert (found.visible == reached).float().mean() > 0.97
    assert (found.confidence > 0.5).sum() > 300


def test_beside_a_nearer_part_nothing_is_trusted():
    sheet, sheet_faces, _ = dome()
    unit, ball_faces = sphere(20, 30)
    ball = unit * 30 + torch.tensor([0.0, 0, -330])
    points = torch.cat([sheet, ball])
    faces = torch.cat([sheet_faces, ball_faces + len(sheet)])
    camera = Camera.facing(SIZE, focal=400.0)
    found = seen(torch.ones(*SIZE, 3), camera, points, faces)
    radius = (camera.project(points)[:, :2] - camera.principal).norm(dim=-1)
    limb = 400 * 30 / (330**2 - 30**2) ** 0.5
    beside = (radius - limb).abs() < 0.7
    assert (found.confidence[beside] == 0).all()
    assert (found.confidence[(radius > limb + 4) & (radius < 50)] > 0.9).all()


def test_trust_falls_towards_the_outline_of_a_ball_and_is_whole_in_its_middle():
    unit, faces = sphere(60, 80)
    points = unit * 100 + torch.tensor([0.0, 0, -600])
    camera = Camera.facing(SIZE, focal=400.0)
    found = seen(torch.ones(*SIZE, 3), camera, points, faces)
    cosine = (vertex_normals(points, faces) * normalized(-points)).sum(-1)
    assert (found.confidence[cosine > 0.7] == 1).all()
    assert (found.confidence[cosine < 0.25] == 0).all()
    between = found.confidence[(cosine > 0.35) & (cosine < 0.5)]
    assert (between > 0).all()
    assert (between < 0.75).all()


def test_the_outline_is_not_trusted_even_where_it_is_seen_straight():
    points, faces, _ = dome()
    flat = torch.cat([points[:, :2], torch.full((len(points), 1), -500.0)], dim=-1)
    camera = Camera.facing(SIZE, focal=300.0)
    found = seen(torch.ones(*SIZE, 3), camera, flat, faces)
    from_edge = torch.minimum(120 - flat[:, 0].abs(), 90 - flat[:, 1].abs())
    assert (found.confidence[from_edge < 2] == 0).all()
    assert (found.confidence[from_edge > 8] == 1).all()
    assert found.visible.float().mean() > 0.9


def test_points_outside_the_picture_or_behind_the_camera_are_not_seen():
    points, faces, _ = dome()
    camera = Camera.facing(SIZE, focal=1500.0)
    found = seen(torch.ones(*SIZE, 3), camera, points, faces)
    x, y = camera.project(points)[:, :2].unbind(-1)
    outside = (x < 0) | (y < 0) | (x >= SIZE[1]) | (y >= SIZE[0])
    assert 0 < (~outside).sum() < len(points)
    assert not found.visible[outside].any()
    assert (found.confidence[outside] == 0).all()
    assert (found.confidence[~outside] > 0.9).all()  # the border of the picture is no outline


@pytest.mark.parametrize("shift", [[0.0, 0, 1000], [5000.0, 0, 0], [0.0, -9e9, 0]])
def test_a_mesh_that_is_not_in_the_picture_gives_no_trust(shift):
    points, faces, uv = dome(6)
    moved = points + torch.tensor(shift)
    found = unwrap(Sight(torch.ones(*SIZE, 3), Camera.facing(SIZE), moved, faces), uv, faces, 16)
    assert not found.visible.any()
    assert (found.confidence == 0).all()
    assert found.colour.isfinite().all()


def test_a_photo_with_more_pixels_than_the_texture_has_texels_is_averaged():
    points, faces, uv = dome()
    camera = Camera.facing((600, 800), focal=1600.0)
    board = (torch.arange(600)[:, None] + torch.arange(800)) // 2 % 2
    pixels = board[..., None].float().expand(600, 800, 3)
    coarse = unwrap(Sight(pixels, camera, points, faces), uv, faces, 24)
    sure = coarse.confidence > 0.9
    assert (coarse.colour[sure] - 0.5).abs().max() < 0.1
    assert seen(pixels, camera, points, faces).colour.std() > 0.3


def test_a_coarser_map_of_depths_serves_a_large_photo(monkeypatch):
    points, faces, uv = dome()
    look = Sight(torch.rand(*SIZE, 3), Camera.facing(SIZE, focal=400.0), points, faces)
    fine = unwrap(look, uv, faces, 32)
    monkeypatch.setattr(sight, "FINEST", 64)
    coarse = unwrap(look, uv, faces, 32)
    torch.testing.assert_close(coarse.colour, fine.colour)
    assert (coarse.confidence - fine.confidence).abs().mean() < 0.05
    assert (coarse.visible == fine.visible).float().mean() > 0.98


def test_gradients_of_colours_reach_pixels_and_points():
    points, faces, uv = dome(8)
    pixels = torch.rand(*SIZE, 3, requires_grad=True)
    points = points.requires_grad_()
    found = unwrap(Sight(pixels, Camera.facing(SIZE, focal=400.0), points, faces), uv, faces, 20)
    (found.colour * found.confidence.detach()[..., None]).sum().backward()
    assert pixels.grad.sum().item() == pytest.approx(3 * found.confidence.sum().item(), rel=1e-3)
    assert points.grad.abs().max() > 0
    assert not found.confidence.requires_grad


def test_texels_are_those_that_the_charts_cover():
    uv = torch.tensor([[0.0, 0], [0.5, 0], [0, 0.5], [0.5, 0.5]])
    found = rasterize_uv(uv, torch.tensor([[0, 1, 2], [3, 2, 1]]), 8)
    want = torch.zeros(8, 8, dtype=torch.bool)
    want[4:, :4] = True  # the lower left quarter
    assert torch.equal(found.mask[0], want)


def test_empty_texels_take_the_nearest_colour():
    texture, mask = torch.zeros(4, 5, 2), torch.zeros(4, 5, dtype=torch.bool)
    texture[1, 1], texture[2, 4] = torch.tensor([1.0, 2]), torch.tensor([3.0, 4])
    assert torch.equal(pad_charts(texture, mask), texture)
    mask[1, 1] = mask[2, 4] = True
    padded = pad_charts(texture, mask)
    assert (padded[:, :2] == texture[1, 1]).all()
    assert (padded[:, 4] == texture[2, 4]).all()


@pytest.mark.refusal
def test_what_does_not_fit_is_named():
    points, faces, uv = dome(4)
    with pytest.raises(ShapeError, match=r"pixels must have shape \(..., 150, 200, 3\), got"):
        Sight(torch.ones(200, 150, 3), Camera.facing(SIZE), points, faces)
    look = Sight(torch.ones(*SIZE, 3), Camera.facing(SIZE), points, faces)
    with pytest.raises(ShapeError, match=r"uv_faces must have shape \(..., 18, 3\), got \(17, 3\)"):
        unwrap(look, uv, faces[1:], 16)
    with pytest.raises(ShapeError, match=r"normals must have shape \(..., 16, 3\), got \(15, 3\)"):
        sample_photo(look, points, points[1:])
    with pytest.raises(ShapeError, match=r"derivatives must have shape \(..., 16, 2, 2\)"):
        sample_photo(look, points, points, derivatives=torch.zeros(16, 2))
    with pytest.raises(ParameterError, match="size must be at least 1, got 0"):
        unwrap(look, uv, faces, 0)
