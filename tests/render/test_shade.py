from functools import partial

import pytest
import torch

from morphface.core.colour import linear_to_srgb, srgb_to_linear
from morphface.core.errors import ShapeError
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.spherical_harmonics import AMBIENT, irradiance, sh_basis
from morphface.render import (
    Fragments,
    interpolate,
    rasterize,
    shade_pixels,
    shade_plain,
    shade_sh,
)
from tests.toy import sphere

SQUARE = torch.tensor([[[0.0, 0, 10], [8, 0, 14], [0, 8, 12], [8, 8, 16]]])
HALVES = torch.tensor([[0, 1, 2], [3, 2, 1]])


@pytest.fixture
def ball():
    """A sphere of 100 mm, half a metre away, and a camera whose picture it nearly fills."""
    unit, faces = sphere(30, 40)
    return (unit * 100 + torch.tensor([0.0, 0, -500]))[None], faces, Camera.facing((60, 80))


def test_interpolation_returns_constants_and_zero_on_background():
    fragments = rasterize(SQUARE, HALVES, (8, 10))
    image = interpolate(torch.full((1, 4, 2), 3.0), HALVES, fragments)
    want = 3.0 * fragments.mask[..., None].expand(1, 8, 10, 2)
    torch.testing.assert_close(image, want)
    assert not fragments.mask.all()


def test_attributes_may_have_their_own_index_buffer():
    fragments = rasterize(SQUARE, HALVES, (8, 8))
    uv, uv_faces = torch.rand(1, 6, 2), torch.tensor([[5, 0, 3], [1, 2, 4]])
    image = interpolate(uv, uv_faces, fragments)
    corners = uv[0, uv_faces][fragments.face]
    torch.testing.assert_close(image, (fragments.barycentric[..., None] * corners).sum(-2))


def test_one_batch_of_attributes_serves_every_image(rng):
    fragments = rasterize(torch.cat([SQUARE, SQUARE + 2]), HALVES, (8, 8))
    values = torch.randn(2, 4, 3, generator=rng)
    own, shared = (interpolate(v, HALVES, fragments) for v in (values, values[:1]))
    torch.testing.assert_close(own[0], shared[0])
    second = Fragments(fragments.face[1:], fragments.barycentric[1:], fragments.depth[1:])
    torch.testing.assert_close(own[1:], interpolate(values[1:], HALVES, second))


def test_gradients_reach_attributes_as_finite_differences_say(rng):
    fragments = rasterize(SQUARE, HALVES, (4, 5))
    double = Fragments(fragments.face, fragments.barycentric.double(), fragments.depth)
    values = torch.randn(1, 4, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: interpolate(v, HALVES, double), values)


def test_plain_shading_is_brightest_towards_the_lamp_and_never_black():
    normals = torch.nn.functional.normalize(torch.randn(500, 3), dim=-1)
    grey = shade_plain(normals).mean(-1)
    best = normals[grey.argmax()]
    assert best[2] > 0.8
    assert grey.min() > 0.1
    assert shade_plain(torch.zeros(2, 3)).isfinite().all()


def test_lambertian_shading_is_albedo_times_light():
    albedo = torch.rand(2, 5, 3)
    normals = torch.nn.functional.normalize(torch.randn(2, 5, 3), dim=-1)
    light = torch.randn(2, 9, 3) * 0.1
    white = shade_sh(torch.ones(1, 5, 3), normals, light)
    torch.testing.assert_close(shade_sh(albedo, normals, light), albedo * white)


def test_in_linear_light_amounts_of_light_are_multiplied(rng):
    albedo = torch.rand(1, 5, 3, generator=rng)
    normals = normalized(torch.randn(1, 5, 3, generator=rng))
    light = torch.randn(1, 9, 3, generator=rng) * 0.05
    plain = shade_sh(albedo, normals, light)
    linear = shade_sh(albedo, normals, light, linear_light=True)
    amounts = srgb_to_linear(albedo) * irradiance(light, normals)
    torch.testing.assert_close(srgb_to_linear(linear), amounts, atol=1e-5, rtol=1e-4)
    assert (plain - linear).abs().max() > 0.02


def test_half_the_light_of_white_is_darker_by_the_curve():
    light = torch.zeros(9, 3)
    light[0] = 0.5 / (sh_basis(torch.zeros(3))[0]) - AMBIENT  # irradiance of one half
    white, up = torch.ones(1, 3), torch.tensor([[0.0, 0, 1]])
    half = torch.full((1, 3), 0.5)
    torch.testing.assert_close(shade_sh(white, up, light), half)
    torch.testing.assert_close(shade_sh(white, up, light, linear_light=True), linear_to_srgb(half))


def test_pixels_are_shaded_like_vertices_whatever_the_length_of_their_normals(rng):
    albedo = torch.rand(1, 4, 5, 3, generator=rng)
    normals = torch.randn(2, 4, 5, 3, generator=rng)
    light = torch.randn(2, 9, 3, generator=rng) * 0.1
    got = shade_pixels(albedo, normals, light)
    for image in range(2):
        unit = torch.nn.functional.normalize(normals[image], dim=-1)
        want = torch.stack(
            [shade_sh(*rows, light[image]) for rows in zip(albedo[0], unit, strict=True)]
        )
        torch.testing.assert_close(got[image], want)


@pytest.mark.parametrize("linear_light", [False, True])
def test_gradients_of_shading_are_those_of_central_differences(rng, linear_light):
    options = {"generator": rng, "dtype": torch.float64}
    albedo = torch.rand(1, 2, 2, 3, **options) * 0.8 + 0.1
    normals, light = torch.randn(1, 2, 2, 3, **options), torch.randn(1, 9, 3, **options) * 0.1
    inputs = [value.requires_grad_() for value in (albedo, normals, light)]
    shade = partial(shade_pixels, linear_light=linear_light)
    assert torch.autograd.gradcheck(shade, inputs)


@pytest.mark.parametrize("linear_light", [False, True])
def test_black_background_stays_black_with_finite_gradients(linear_light):
    albedo = torch.zeros(1, 2, 2, 3, requires_grad=True)
    normals = torch.zeros(1, 2, 2, 3, requires_grad=True)
    image = shade_pixels(albedo, normals, torch.zeros(1, 9, 3), linear_light=linear_light)
    image.sum().backward()
    assert (image == 0).all()
    assert albedo.grad.isfinite().all()
    assert (normals.grad == 0).all()


def test_shading_pixels_shows_the_middle_of_a_coarse_face_rounder_than_its_corners():
    """A normal between two corners is as bright as one between their directions."""
    corners = normalized(torch.tensor([[-1.0, 0, 1], [1, 0, 1]]))
    middle = corners.mean(0).expand(1, 1, 1, 3)  # shorter than 1
    light = torch.zeros(1, 9, 3)
    light[0, 2] = 0.5
    white = torch.ones(1, 1, 1, 3)
    straight = shade_sh(torch.ones(1, 3), torch.tensor([[0.0, 0, 1]]), light[0])
    torch.testing.assert_close(shade_pixels(white, middle, light)[0, 0], straight)


def test_normals_seen_at_the_middle_of_a_ball_point_at_the_camera(ball):
    vertices, faces, camera = ball
    fragments = rasterize(camera.project(vertices), faces, camera.size)
    normal = interpolate(vertex_normals(vertices, faces), faces, fragments)[0, 30, 40]
    assert normal[2] > 0.99


@pytest.mark.refusal
def test_a_batch_that_does_not_fit_is_refused():
    fragments = rasterize(SQUARE, HALVES, (8, 8))
    with pytest.raises(ShapeError, match="batch of 1 or 1 like fragments, got 3"):
        interpolate(torch.zeros(3, 4, 1), HALVES, fragments)


@pytest.mark.refusal
def test_normals_without_three_numbers_are_refused():
    with pytest.raises(ShapeError, match=r"normals must have shape \(..., 3\), got \(5, 2\)"):
        shade_plain(torch.zeros(5, 2))


@pytest.mark.refusal
def test_pixels_and_normals_of_different_sizes_are_refused():
    with pytest.raises(ShapeError, match=r"normals must have shape \(..., any, 4, 5, 3\), got"):
        shade_pixels(torch.ones(1, 4, 5, 3), torch.ones(1, 5, 4, 3), torch.zeros(1, 9, 3))
