"""What is expected before a pixel is seen, as precision matrices over the groups."""

import math

import numpy as np

from morphface.fit.analysis.energies import Prior
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import Look
from morphface.fit.problem import coefficient_priors
from morphface.fit.result import FitResult
from morphface.fit.settings import LinearSettings
from morphface.models import MorphableModel

__all__ = ["look_priors", "person_priors"]

_BANDS = np.repeat([0, 1, 2], [1, 3, 5])


def person_priors(look: Look) -> tuple[Prior, ...]:
    """Of what photos of one person share: identity and reflectance are N(0, 1)."""
    return tuple(
        Prior(name, np.zeros(len(getattr(look, name))), np.eye(len(getattr(look, name))))
        for name in ("identity", "reflectance")
    )


def look_priors(
    model: MorphableModel, start: FitResult, look: Look, settings: PhotometricSettings
) -> tuple[Prior, ...]:
    """Of what each photo has for itself.

    Args:
        model: for bounds and names of expressions.
        start: the detector's scores are near the expression weights.
        look: whose focal length is expected.
        settings: standard deviations.
    """
    linear = LinearSettings(
        expression_spread=settings.expression_spread, score_spread=settings.score_spread
    )
    mean, spread = coefficient_priors(model.expression, start.landmarks.scores, linear)
    return (
        Prior("expression", mean, np.diag(1 / spread**2)),
        Prior("gaze", np.zeros(4), np.eye(4) / settings.gaze_spread**2),
        Prior("illumination", np.zeros(27), _light_precision(settings)),
        Prior("focal", np.array([math.log(float(look.focal))]), _once(settings.focal_spread)),
    )


def _once(spread: float) -> np.ndarray:
    return np.array([[spread**-2]])


def _light_precision(settings: PhotometricSettings) -> np.ndarray:
    """Light is nearly grey: its channels vary together, and little against each other."""
    spread = np.array(settings.light_spread)[_BANDS]
    common = np.full((3, 3), 1 / 3)
    chroma = (np.eye(3) - common) / settings.light_chroma**2
    return np.kron(np.diag(spread**-2), common + chroma)
