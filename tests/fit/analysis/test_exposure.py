"""What is expected of light before a pixel of skin is seen."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.fit import PhotometricSettings, fit_photometric
from morphface.fit.analysis.colour import Balance, balance_of, between
from morphface.fit.analysis.energies import prior_energy
from morphface.fit.analysis.exposure import light_prior, seen_harmonics
from morphface.fit.analysis.light import first_light
from morphface.fit.analysis.sampling import draw
from morphface.fit.analysis.whites import Hint
from morphface.geometry.spherical_harmonics import AMBIENT
from morphface.models import LinearBasis
from tests.fit.analysis.studio import Studio, studio, whole_view
from tests.fit.analysis.test_photometric import QUICK

LOOSE = PhotometricSettings(light_spread=(1e3, 1e3, 1e3))


@pytest.fixture(scope="module")
def grey() -> Studio:
    """An egg of one colour in a white light from everywhere, of irradiance 0.8."""
    place = studio()
    tone = torch.full_like(place.model.reflectance.mean, 0.4)
    reflectance = LinearBasis(tone, place.model.reflectance.directions)
    light = torch.zeros(1, 9, 3)
    light[:, 0] = 0.8 / (torch.pi / (4 * torch.pi) ** 0.5) - AMBIENT
    plain = replace(place.parameters, reflectance=torch.zeros(1, 3), illumination=light.clone())
    return replace(place, model=replace(place.model, reflectance=reflectance), parameters=plain)


def irradiance(scene, light) -> np.ndarray:
    """Of the seen face, on the whole."""
    seen = seen_harmonics(scene)
    return seen @ np.asarray(light, float).reshape(9, 3) + AMBIENT * seen[0]


def test_the_harmonics_of_the_seen_face_give_its_mean_irradiance(grey):
    np.testing.assert_allclose(irradiance(grey.scene, grey.parameters.illumination), 0.8, rtol=1e-5)


def test_the_seen_face_is_expected_to_be_exposed_alike_whatever_the_light_is_like(grey):
    for level in (0.6, 1.0):
        prior = light_prior(grey.scene, replace(LOOSE, exposure=level))
        np.testing.assert_allclose(irradiance(grey.scene, prior.mean), level, rtol=1e-4)


def test_a_brighter_light_costs_its_share_and_a_tint_its_own(grey):
    """Where bands cost nothing: half the square of the share, over that of the spread."""
    settings = replace(LOOSE, exposure=0.8, exposure_spread=0.2, tint_spread=0.05)
    prior = light_prior(grey.scene, settings)
    seen = seen_harmonics(grey.scene)

    def cost(change: tuple[float, float, float]) -> float:
        more = torch.from_numpy(np.outer(seen / (seen @ seen), 0.8 * np.array(change))).float()
        look = replace(grey.look, illumination=grey.look.illumination + more)
        return prior_energy(prior, look)

    assert cost((0.1, 0.1, 0.1)) == pytest.approx(0.5 * (0.1 / 0.2) ** 2, rel=1e-3)
    assert cost((0.05, 0, -0.05)) == pytest.approx(0.5 * 2 * (0.05 / 0.05) ** 2, rel=1e-3)


def test_hints_and_expectation_count_by_their_precision(grey):
    settings = replace(LOOSE, exposure=1.0, exposure_spread=0.2)
    hints = (Hint(np.log(0.7), 0.2), Hint(np.log(1.3), 0.1))
    found = irradiance(grey.scene, light_prior(grey.scene, settings, hints).mean)
    wanted = (np.log(0.7) / 0.2**2 + np.log(1.3) / 0.1**2) / (2 / 0.2**2 + 1 / 0.1**2)
    np.testing.assert_allclose(np.log(found), wanted, rtol=1e-3)


def test_a_hint_that_contradicts_what_is_expected_is_none(grey):
    settings = replace(LOOSE, exposure=1.0, exposure_spread=0.2)
    found = light_prior(grey.scene, settings, (Hint(np.log(0.2), 0.3),))
    np.testing.assert_allclose(found.mean, light_prior(grey.scene, settings).mean)


def lit(grey: Studio, settings: PhotometricSettings, *, worth: float) -> torch.Tensor:
    """The first light of the egg's photo."""
    view, scene = whole_view(grey.photo(), grey.lens), grey.scene
    samples = draw(scene, view, count=400, phase=0.5)
    prior = light_prior(scene, settings)
    return first_light(scene, samples, view, prior, noise=0.01, worth=worth)


def test_the_first_light_is_the_expected_one_where_pixels_are_worth_nothing(grey):
    settings = PhotometricSettings(exposure=0.6)
    wanted = torch.from_numpy(light_prior(grey.scene, settings).mean).float().reshape(9, 3)
    torch.testing.assert_close(lit(grey, settings, worth=1e-9), wanted, atol=1e-5, rtol=0)


def test_the_first_light_is_that_of_the_photo_where_pixels_are_worth_much(grey):
    """Whatever was expected."""
    for level in (0.6, 1.0):
        found = lit(grey, PhotometricSettings(exposure=level), worth=1e6)
        np.testing.assert_allclose(irradiance(grey.scene, found), 0.8, atol=0.02)


def test_a_bright_photo_is_one_of_bright_light_or_of_pale_skin_as_exposure_expects(grey):
    """Light and skin are known only as a product: what is expected of light tells them apart."""
    mean = grey.model.reflectance.mean
    pale = replace(grey.model, reflectance=LinearBasis(mean, torch.full_like(mean, 0.08)[None]))
    start = replace(grey.parameters, illumination=torch.zeros(1, 9, 3))
    start = grey.start(replace(start, reflectance=torch.zeros(1, 1)))
    found = {
        level: fit_photometric(
            pale,
            [grey.photo()],
            [start],
            settings=replace(QUICK, exposure=level, exposure_spread=0.05),
            free=("reflectance", "illumination"),
        )
        for level in (0.8, 0.6)
    }
    assert found[0.8].parameters.reflectance.abs().max() < 0.3
    assert found[0.6].parameters.reflectance.max() > 0.5
    for one in found.values():
        assert one.photometric_rmse[0] < 0.01


@pytest.mark.parametrize("grows", [(1.3, 1.3, 1.3), (0.7, 0.7, 0.7)])
def test_what_skins_and_lights_may_explain_is_no_gain(grey, grows):
    assert gain_of(grey, grows) is None


def test_what_they_cannot_becomes_a_gain_as_far_as_they_cannot(grey):
    """The rest of the way is the same number of standard deviations, whatever the colour."""
    once, twice = (gain_of(grey, (1.0, factor, 1.0)).log() for factor in (0.2, 0.04))
    assert once[1] < -0.5
    assert float((twice - once)[1]) == pytest.approx(np.log(0.2), rel=0.02)


def test_the_mean_between_colours_turns_what_is_added_into_a_factor():
    low, high = torch.tensor([0.2, 0.5, 0.4]), torch.tensor([0.8, 0.1, 0.4])
    mean = between(low, high)
    torch.testing.assert_close(mean * (high / low).log(), high - low)
    torch.testing.assert_close(mean, between(high, low))
    assert mean[2] == 0.4


@pytest.mark.parametrize("bright", [1.0, 0.03])
def test_a_photo_is_grey_by_its_colours_however_dark_it_is(grey, bright):
    assert not balance(grey, (bright, bright, bright)).grey
    samples = draw(grey.scene, whole_view(grey.photo(), grey.lens), count=400, phase=0.5)
    view = whole_view(grey.photo() * bright, grey.lens)
    assert balance_of(grey.scene, samples, view, PhotometricSettings()).grey


def gain_of(grey: Studio, factors: tuple[float, float, float]) -> torch.Tensor | None:
    return balance(grey, factors).gain


def balance(grey: Studio, factors: tuple[float, float, float]) -> Balance:
    """Of the egg with a tan, as it would be seen by a camera with such gains."""
    basis = grey.model.reflectance
    tan = LinearBasis(basis.mean * torch.tensor([1.3, 1.0, 0.8]), basis.directions)
    place = replace(grey, model=replace(grey.model, reflectance=tan))
    scene, photo = place.scene, place.photo() * torch.tensor(factors)
    view = whole_view(photo, place.lens)
    samples = draw(scene, view, count=400, phase=0.5)
    return balance_of(scene, samples, view, PhotometricSettings(exposure=0.8))


@pytest.mark.refusal
def test_hints_have_names():
    with pytest.raises(ParameterError, match="hints must be of sclera, .*, got 'stars'"):
        PhotometricSettings(hints=("stars",))
