"""The share of what a head hides of the light from itself is found where it is known."""

from dataclasses import replace

import pytest
import torch

from morphface.fit.analysis.problem import surface_at
from morphface.fit.analysis.scene import scene_of
from morphface.fit.analysis.state import first_look
from morphface.geometry.angles import angles_to_rotvec
from morphface.models import load_model
from tests.fit.analysis.studio import Studio, studio


@pytest.fixture(scope="module")
def place() -> Studio:
    return studio(load_model())


def shaded(place: Studio, shade: float):
    look = replace(place.look, shade=torch.tensor(shade))
    return scene_of(surface_at(place.model, look), look)


def test_colours_are_linear_in_the_shade(place):
    none, half, all_of = (shaded(place, share).colours for share in (0.0, 0.5, 1.0))
    assert torch.allclose(half, (none + all_of) / 2, atol=1e-6)
    scene = shaded(place, 0.5)
    assert torch.allclose(all_of - none, scene.albedo * scene.shading, atol=1e-6)


def test_a_light_from_everywhere_is_blocked_alike_however_the_head_is_turned(place):
    plain = replace(place.look, illumination=torch.zeros(9, 3), shade=torch.tensor(1.0))
    turned = first_look(
        replace(place.parameters, rotation=angles_to_rotvec(torch.tensor([[0.5, 0.3, -0.2]]))),
        place.camera,
        torch.zeros(()),
    )
    turned = replace(turned, illumination=plain.illumination, shade=plain.shade)
    lights = [scene_of(surface_at(place.model, look), look).light for look in (plain, turned)]
    assert torch.allclose(*lights, atol=1e-4)


def test_eyeballs_have_no_shade_of_their_own(place):
    surface = surface_at(place.model, place.look)
    for eye in surface.eyes:
        assert (surface.blocked[eye.vertices] == 0).all()
