"""The share of what a head hides of the light from itself is found where it is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.fit import PhotometricSettings
from morphface.fit.analysis.energies import Markers
from morphface.fit.analysis.problem import Photo, Problem, scenes_of, surface_at
from morphface.fit.analysis.scene import scene_of
from morphface.fit.analysis.shade import drawn_in_shade
from morphface.fit.analysis.state import Columns, first_look
from morphface.geometry.angles import angles_to_rotvec
from morphface.models import load_model
from tests.fit.analysis.studio import Studio, studio, whole_view

NOTHING = Markers(None, None, None)


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


def test_a_scene_in_another_shade_is_that_of_a_look_with_it(place):
    once, twice = shaded(place, 0.2).shaded(torch.tensor(0.7)), shaded(place, 0.7)
    assert float(once.look.shade) == pytest.approx(0.7)
    for name in ("harmonics", "light", "colours"):
        assert torch.allclose(getattr(once, name), getattr(twice, name), atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.8])
def test_the_share_is_found_in_a_picture(place, share):
    photo = replace(place, shade=share).photo()
    view = whole_view(photo, place.lens)
    settings = PhotometricSettings(shade_spread=10.0)
    problem = Problem(
        model=place.model,
        photos=(Photo(view, place.lens, NOTHING, ()),),
        priors=(),
        columns=Columns.of(place.model, 1),
        limits=np.zeros((0, 2)),
        settings=settings,
        free=(),
    )
    before = scenes_of(problem, (replace(place, shade=0.4).look,))
    scenes, drawn = drawn_in_shade(problem, before, count=3000, phase=0.5)
    assert float(scenes[0].look.shade) == pytest.approx(share, abs=0.1)
    assert drawn.residuals[0].norm(dim=1).median() < 0.02


@pytest.mark.refusal
@pytest.mark.parametrize("wish", [{"shade": 1.5}, {"shade": -0.1}, {"shade_spread": -1.0}])
def test_a_share_that_is_none_is_refused(wish):
    with pytest.raises(ParameterError, match="shade must be a share from 0 to 1, and shade_spread"):
        PhotometricSettings(**wish)
