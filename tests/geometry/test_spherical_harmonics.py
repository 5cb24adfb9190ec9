from math import pi, sqrt

import pytest
import roma
import torch

from morphface.core.errors import ShapeError
from morphface.geometry.spherical_harmonics import (
    AMBIENT,
    irradiance,
    rotate_light,
    sample_directions,
    sh_basis,
    sh_project,
)


def directions(rings=200, segments=400):
    """Directions over the sphere, and the solid angle that each stands for."""
    z = (torch.arange(rings, dtype=torch.float64) + 0.5) / rings * 2 - 1
    phi = (torch.arange(segments, dtype=torch.float64) + 0.5) / segments * 2 * pi
    z, phi = torch.meshgrid(z, phi, indexing="ij")
    r = (1 - z.square()).sqrt()
    unit = torch.stack([r * phi.cos(), r * phi.sin(), z], dim=-1).reshape(-1, 3)
    return unit, 4 * pi / (rings * segments)


def test_terms_are_orthogonal_over_the_sphere():
    unit, area = directions()
    basis = sh_basis(unit)
    gram = basis.T @ basis * area
    norms = gram.diagonal().sqrt()
    scaled = gram / norms[:, None] / norms
    torch.testing.assert_close(scaled, torch.eye(9, dtype=gram.dtype), atol=1e-3, rtol=0)


def test_values_are_those_of_the_published_formulas():
    x, y, z = 0.48, 0.6, 0.64
    a0, a1, a2 = pi, 2 * pi / sqrt(3), 2 * pi / sqrt(8)
    c0, c1, c2 = 1 / sqrt(4 * pi), sqrt(3) / sqrt(4 * pi), 3 * sqrt(5) / sqrt(12 * pi)
    want = [a0 * c0, -a1 * c1 * y, a1 * c1 * z, -a1 * c1 * x, a2 * c2 * x * y, -a2 * c2 * y * z]
    want += [a2 * c2 / (2 * sqrt(3)) * (3 * z * z - 1), -a2 * c2 * x * z]
    want += [a2 * c2 / 2 * (x * x - y * y)]
    got = sh_basis(torch.tensor([x, y, z]))
    torch.testing.assert_close(got, torch.tensor(want))


def test_without_coefficients_light_is_grey_and_the_same_everywhere():
    unit, _ = directions(10, 20)
    light = irradiance(torch.zeros(9, 3), unit.float())
    torch.testing.assert_close(light, torch.full_like(light, AMBIENT * sqrt(pi) / 2))


@pytest.mark.parametrize(("term", "axis"), [(1, (0, -1, 0)), (2, (0, 0, 1)), (3, (-1, 0, 0))])
def test_a_directional_coefficient_brightens_the_normals_along_its_axis(term, axis):
    illumination = torch.zeros(9, 3)
    illumination[term, 0] = 0.2
    toward = torch.tensor([axis], dtype=torch.float32)
    red, green, blue = (irradiance(illumination, toward) - irradiance(illumination, -toward))[0]
    assert red > 0.3
    assert green == blue == 0


def test_light_that_turns_with_the_normals_leaves_the_shading(rng):
    unit, area = directions()
    turn = roma.random_rotmat(1)[0].double()
    light = torch.randn(9, 3, generator=rng, dtype=torch.float64)
    basis = sh_basis(unit)
    shading = basis @ light
    # The turned light, by least squares: it must exist, as bands are closed under rotation.
    solved = torch.linalg.lstsq(sh_basis(unit @ turn.T), shading)
    torch.testing.assert_close(sh_basis(unit @ turn.T) @ solved.solution, shading)
    per_band = [slice(0, 1), slice(1, 4), slice(4, 9)]
    for band in per_band:
        norm = (basis[:, band] @ light[band]).square().sum() * area
        turned = (basis[:, band] @ solved.solution[band]).square().sum() * area
        torch.testing.assert_close(norm, turned, rtol=1e-3, atol=1e-6)


def test_a_turned_light_shades_turned_normals_as_before(rng):
    unit, _ = directions(20, 30)
    light = torch.randn(9, 3, generator=rng, dtype=torch.float64)
    turn = roma.random_rotvec(1)[0].double()
    turned = unit @ roma.rotvec_to_rotmat(turn).T
    torch.testing.assert_close(
        irradiance(rotate_light(light, turn), turned), irradiance(light, unit)
    )


def test_turning_a_light_twice_is_turning_it_once_by_the_product(rng):
    light = torch.randn(9, 3, generator=rng, dtype=torch.float64)
    first, second = roma.random_rotvec(2).double()
    both = roma.rotvec_composition([second, first])
    want = rotate_light(light, both)
    torch.testing.assert_close(rotate_light(rotate_light(light, first), second), want)


def test_what_is_projected_comes_back(rng):
    light = torch.randn(9, 3, generator=rng, dtype=torch.float64)
    torch.testing.assert_close(sh_project(sh_basis(sample_directions()) @ light), light)


def test_one_light_serves_a_batch_and_each_image_may_have_its_own(rng):
    normals = torch.nn.functional.normalize(torch.randn(2, 5, 3, generator=rng), dim=-1)
    lights = torch.randn(2, 9, 3, generator=rng)
    shared = irradiance(lights[0], normals)
    own = irradiance(lights, normals)
    torch.testing.assert_close(own[0], shared[0])
    torch.testing.assert_close(own[1], irradiance(lights[1], normals[1]))


@pytest.mark.refusal
def test_wrong_number_of_coefficients_is_refused():
    with pytest.raises(ShapeError, match=r"illumination must have shape \(..., 9, 3\)"):
        irradiance(torch.zeros(27), torch.zeros(4, 3))


@pytest.mark.refusal
def test_values_elsewhere_than_at_the_samples_are_refused():
    with pytest.raises(ShapeError, match=r"values must have shape \(..., 12, any\)"):
        sh_project(torch.zeros(9, 3))


def test_light_in_double_precision_falls_on_normals_as_they_are():
    normals = torch.nn.functional.normalize(torch.randn(7, 3), dim=-1)
    light = torch.randn(9, 3)
    assert torch.equal(irradiance(light.double(), normals), irradiance(light, normals))
