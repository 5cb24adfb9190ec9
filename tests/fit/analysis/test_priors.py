"""What is expected of light before a pixel is seen."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.fit import PhotometricSettings, fit_photometric
from morphface.fit.analysis.energies import Prior, prior_energy
from morphface.fit.analysis.lens import View
from morphface.fit.analysis.light import first_light
from morphface.fit.analysis.priors import light_mean, light_precision, look_priors
from morphface.fit.analysis.sampling import draw
from morphface.geometry.spherical_harmonics import AMBIENT
from morphface.models import LinearBasis
from tests.fit.analysis.studio import Studio, studio, whole_view
from tests.fit.analysis.test_photometric import QUICK

SETTINGS = PhotometricSettings(light_mean=0.3)


@pytest.fixture(scope="module")
def grey() -> Studio:
    """An egg of one colour in white light from everywhere, as bright as is expected."""
    place = studio()
    tone = torch.full_like(place.model.reflectance.mean, 0.4)
    reflectance = LinearBasis(tone, place.model.reflectance.directions)
    zero = replace(
        place.parameters,
        reflectance=torch.zeros(1, 3),
        illumination=torch.from_numpy(light_mean(SETTINGS)).float().reshape(1, 9, 3),
    )
    return replace(place, model=replace(place.model, reflectance=reflectance), parameters=zero)


def prior(settings=SETTINGS):
    return Prior("illumination", light_mean(settings), light_precision(settings))


def test_the_expected_light_is_white_and_from_everywhere_alike():
    mean = light_mean(replace(SETTINGS, light_mean=0.25)).reshape(9, 3)
    np.testing.assert_array_equal(mean[0], [0.25] * 3)
    assert not mean[1:].any()


def test_the_expected_light_costs_nothing_and_darkness_as_much_as_twice_that_light(grey):
    look = grey.look
    assert prior_energy(prior(), look) == pytest.approx(0, abs=1e-9)
    none, twice = (
        prior_energy(prior(), replace(look, illumination=share * look.illumination))
        for share in (0, 2)
    )
    away = SETTINGS.light_mean / SETTINGS.light_spread[0]
    assert none == pytest.approx(3 * away**2 / 2, rel=1e-4)
    assert twice == pytest.approx(none, rel=1e-4)


def test_a_photo_expects_the_light_of_its_settings(grey):
    start = grey.start(grey.parameters)
    for level in (0.0, 0.3, -0.2):
        wish = replace(SETTINGS, light_mean=level)
        named = {p.name: p for p in look_priors(grey.model, start, grey.look, wish)}
        np.testing.assert_allclose(named["illumination"].mean, light_mean(wish))


def lit(grey: Studio, settings=SETTINGS, *, worth: float) -> torch.Tensor:
    """The first light of the egg's photo."""
    view: View = whole_view(grey.photo(), grey.lens)
    scene = grey.scene
    samples = draw(scene, view, count=400, phase=0.5)
    return first_light(scene, samples, view, prior(settings), noise=0.01, worth=worth)


def test_the_first_light_is_the_expected_one_where_pixels_are_worth_nothing(grey):
    for level in (0.3, -0.2):
        settings = replace(SETTINGS, light_mean=level)
        found = lit(grey, settings, worth=1e-9)
        wanted = torch.from_numpy(light_mean(settings)).float().reshape(9, 3)
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=0)


def test_the_first_light_is_that_of_the_photo_where_pixels_are_worth_much(grey):
    """Whatever was expected."""
    for level in (0.3, -0.2):
        found = lit(grey, replace(SETTINGS, light_mean=level), worth=1e6)
        torch.testing.assert_close(found[0], torch.full((3,), 0.3), atol=0.03, rtol=0)


def brightness(found) -> float:
    return float(found.parameters.illumination[0, 0].mean()) + AMBIENT


def test_a_bright_photo_is_one_of_bright_light_and_not_of_pale_skin(grey):
    """Light and skin are known only as a product: what is expected of light tells them apart."""
    start = replace(grey.parameters, illumination=torch.zeros(1, 9, 3))
    pale = replace(
        grey.model,
        reflectance=LinearBasis(
            grey.model.reflectance.mean, torch.full_like(grey.model.reflectance.mean, 0.08)[None]
        ),
    )
    start = replace(start, reflectance=torch.zeros(1, 1))
    found = {
        level: fit_photometric(
            pale,
            [grey.photo()],
            [grey.start(start)],
            settings=replace(QUICK, light_mean=level),
            free=("reflectance", "illumination"),
        )
        for level in (0.3, 0.0)
    }
    assert brightness(found[0.3]) == pytest.approx(AMBIENT + 0.3, abs=0.03)
    assert found[0.3].parameters.reflectance.abs().max() < 0.3
    assert brightness(found[0.0]) < brightness(found[0.3]) - 0.05
    assert found[0.0].parameters.reflectance.max() > 0.5
    for one in found.values():
        assert one.photometric_rmse[0] < 0.01
