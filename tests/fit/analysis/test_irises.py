"""The colour of irises: found in their pixels, and taken up without a change of the skin."""

from dataclasses import replace

import pytest
import torch

from morphface.fit.analysis.eyes import eye_view, glances, parts_of
from morphface.fit.analysis.irises import iris_colour, with_irises
from morphface.models import LinearBasis, load_model
from tests.fit.analysis.studio import studio, whole_view

BLUE = torch.tensor([0.35, 0.45, 0.6])


@pytest.fixture(scope="module")
def place():
    """The open head, near, with blue eyes that none of its coefficients made."""
    model = load_model("open-head")
    found = studio(model, seed=4, scheme="478")
    mean = model.reflectance.mean.clone()
    mean[model.regions["iris"] > 0.5] = BLUE
    blue = replace(model, reflectance=LinearBasis(mean, model.reflectance.directions))
    own = replace(
        found.parameters,
        identity=torch.zeros(1, 80),
        expression=torch.zeros(1, 52),
        reflectance=torch.zeros(1, 80),
        rotation=torch.zeros(1, 3),
        translation=torch.tensor([[0.0, 0.0, -260.0]]),
    )
    return replace(found, model=blue, parameters=own)


@pytest.fixture(scope="module")
def seen(place):
    """What the photo shows of the eyes, to one who expects those of the open head."""
    photo, scene = place.photo(), place.scene
    near, parts = eye_view(photo, place.lens, scene, None), parts_of(load_model("open-head"))
    clear = whole_view(photo, place.lens)
    return glances(scene, near, parts, clear, (None, None)), parts


def test_the_colour_of_the_pixels_is_found(place, seen):
    eyes, parts = seen
    colour, precision = iris_colour(eyes, parts, place.scene.look.gaze)
    torch.testing.assert_close(colour, BLUE, atol=0.05, rtol=0)
    assert precision > 0.1**-2


def test_eyes_that_look_elsewhere_or_are_not_seen_tell_nothing(place, seen):
    eyes, parts = seen
    away = torch.full((2, 2), 1.5)
    assert iris_colour(eyes, parts, away) is None
    hidden = [replace(eye, worth=torch.zeros_like(eye.worth)) for eye in eyes]
    assert iris_colour(hidden, parts, place.scene.look.gaze) is None


def test_coefficients_take_the_colour_up_and_leave_the_skin(place):
    model = load_model("open-head")
    scene, old = replace(place, model=model).scene, torch.zeros(80)
    new = with_irises(model, scene, old, (BLUE, 0.03**-2))
    before, after = (model.reflectance.instance(each) for each in (old, new))
    iris, skin = model.regions["iris"] > 0.5, model.regions["skin"] > 0.9
    torch.testing.assert_close(after[iris].mean(0), BLUE, atol=0.06, rtol=0)
    assert (after - before)[skin].abs().mean() < 0.003


def test_a_model_without_irises_keeps_its_coefficients(place):
    plain = replace(load_model("open-head"), regions={})
    old = torch.ones(80)
    assert torch.equal(with_irises(plain, place.scene, old, (BLUE, 100.0)), old)
