"""What a fit expects of a lens that nobody told it of."""

import math
from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.fit import LinearSettings, fit_linear
from tests.fit.synthetic import SIZE, scene

NEVER, FREE = math.inf, 100.0
NOISE = 3.0  # pixels: such landmarks hardly show the perspective


def found(given, size=SIZE, **settings):
    """Focal length in pixels and distance in millimetres."""
    fit = fit_linear(given.model, given.landmarks, size=size, settings=LinearSettings(**settings))
    return float(fit.camera.focal), -float(fit.parameters.translation[0, 2])


@pytest.mark.parametrize("mean", [1.0, 1.5, 3.0])
def test_poor_landmarks_leave_the_lens_near_the_expected_one(mean):
    given = scene(noise=NOISE, focal=1100.0)
    focal, _ = found(given, focal_mean=mean, focal_spread=0.2, distance_spread=NEVER)
    assert abs(math.log(focal / mean / max(SIZE))) < 2 * 0.2


@pytest.mark.parametrize("mean", [500.0, 1000.0, 2000.0])
def test_poor_landmarks_leave_the_head_near_the_expected_distance(mean):
    given = scene(noise=NOISE, focal=1100.0)
    _, distance = found(given, distance_mean=mean, distance_spread=0.2, focal_spread=FREE)
    assert abs(math.log(distance / mean)) < 2 * 0.2


@pytest.mark.parametrize("narrower", [160, -400])
def test_a_crop_leaves_the_distance_and_a_wider_picture_too(narrower):
    given = scene(noise=NOISE)
    size = (SIZE[0] - narrower, SIZE[1] - narrower)
    marks = replace(given.landmarks, points=given.landmarks.points - narrower / 2)
    cropped = replace(given, landmarks=marks)
    by_distance = {"focal_spread": FREE, "distance_spread": 0.3}
    assert found(cropped, size, **by_distance) == pytest.approx(
        found(given, **by_distance), rel=1e-3
    )
    by_angle = {"focal_spread": 0.3, "distance_spread": NEVER}
    longer = found(given, **by_angle)[0] > found(cropped, size, **by_angle)[0]
    assert longer == (narrower > 0)


def test_two_sure_expectations_meet_in_the_middle():
    """Of equal weight, so that focal length times distance is that of both."""
    spreads = {"focal_spread": 1e-3, "distance_spread": 1e-3}
    given = scene(noise=NOISE)
    focal, distance = found(given, focal_mean=2.0, distance_mean=1500.0, **spreads)
    assert focal * distance == pytest.approx(2.0 * max(SIZE) * 1500.0, rel=0.15)


def test_nothing_is_expected_of_a_lens_that_is_known():
    given = scene(noise=NOISE)
    results = [
        fit_linear(given.model, given.landmarks, size=SIZE, focal=900.0, settings=settings)
        for settings in (LinearSettings(), LinearSettings(focal_mean=9.0, distance_mean=50.0))
    ]
    a, b = (result.parameters.to_vector() for result in results)
    assert torch.equal(a, b)


def test_a_focal_length_is_held_that_may_not_spread():
    focal, _ = found(scene(noise=NOISE), focal_mean=1.7, focal_spread=0.0)
    assert focal == pytest.approx(1.7 * max(SIZE), rel=1e-3)


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["focal_mean", "distance_mean", "distance_spread"])
def test_expecting_nothing_by_zero_is_refused(name):
    with pytest.raises(ParameterError, match=f"{name} must be positive, got 0"):
        LinearSettings(**{name: 0.0})
