import pytest
import torch
from torch.nn.functional import normalize

from morphface.core.colour import linear_to_srgb
from morphface.fit.detail.equations import Shown
from morphface.fit.detail.grid import Ground
from morphface.fit.detail.relight import relit
from morphface.fit.detail.settings import ENCODED
from morphface.geometry.spherical_harmonics import AMBIENT, irradiance, sh_basis
from tests.fit.detail.photos import lamp

COUNT = 3000


@pytest.fixture
def photos(rng):
    """Of a blotched sphere in three lights, with those of an encoded fit; and the true ones."""
    normals = torch.randn(COUNT, 3, generator=rng)
    normals = normalize(normals * torch.tensor([0.7, 0.7, 0.0]) + torch.tensor([0, 0, 1.0]), dim=-1)
    albedo = 0.35 * (1 + 0.4 * torch.rand(COUNT, 3, generator=rng))
    lights = [lamp(0.7, 0.3, 0.4), lamp(-0.7, 0.3, 0.4), lamp(0.0, 0.7, 0.5)]
    ground = Ground(normals, normals, torch.zeros(COUNT, 2, 3), torch.zeros(COUNT, 4))
    shots = []
    for light in lights:
        encoded = linear_to_srgb(albedo * irradiance(light, normals))
        wanted = irradiance(light, normals) ** (1 / ENCODED)
        fitted = torch.linalg.lstsq(sh_basis(normals), wanted).solution
        fitted[0] -= AMBIENT
        guess = fitted + 0.02 * torch.randn(9, 3, generator=rng)
        shots.append(Shown(ground, encoded, torch.ones(COUNT), guess))
    return shots, lights


def ratio(lights, normals):
    """Logarithm, of the first two lights: what all have in common may be albedo."""
    one, two = (irradiance(light, normals).clamp(min=0.01).log() for light in lights[:2])
    return one - two


def test_lights_differ_as_the_true_ones_do_whatever_the_albedo(photos):
    shots, lights = photos
    normals = shots[0].ground.normals
    true = ratio(lights, normals)
    begun = ENCODED * ratio([s.light for s in shots], normals)
    found = ratio([s.light for s in relit(shots)], normals)
    away = [float((told - true).square().mean().sqrt()) for told in (begun, found)]
    assert away[1] < min(0.05, 0.5 * away[0])


def test_colours_become_amounts_of_light(photos):
    shots, lights = photos
    for one, shot in zip(relit(shots), shots, strict=True):
        torch.testing.assert_close(linear_to_srgb(one.colour), shot.colour.clamp(0, 1))


def test_a_shadow_in_one_photo_hardly_bends_its_light(photos):
    shots, lights = photos
    shots[0].colour[: COUNT // 10] *= 0.4
    normals = shots[0].ground.normals
    away = ratio([s.light for s in relit(shots)], normals) - ratio(lights, normals)
    assert away.square().mean().sqrt() < 0.07
