"""How bright and which colour the light on a face is expected to be.

Light and reflectance are known only as a product. People choose exposure and white balance, so that
a face that is seen gets about as much light in every photo, whatever its skin: that, and not one
band of the light, is what is expected.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from morphface.fit.analysis.energies import Prior
from morphface.fit.analysis.priors import light_precision
from morphface.fit.analysis.sampling import seen_weight
from morphface.fit.analysis.scene import Scene
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.whites import Hint
from morphface.fit.shared.arrays import to_numpy
from morphface.geometry.spherical_harmonics import AMBIENT

__all__ = ["exposure_precision", "light_prior", "seen_harmonics"]

_AGREES = 2.0
"""Standard deviations that a hint may be off what is expected."""


def light_prior(scene: Scene, settings: PhotometricSettings, hints: Sequence[Hint] = ()) -> Prior:
    """Of illumination: what the seen face gets on the whole, and how uneven it is.

    Args:
        scene: the face as it stands.
        settings: expected exposure, and standard deviations.
        hints: what else is known of the light.
    """
    seen = seen_harmonics(scene)
    settings = _told(settings, hints)
    bands, gathered = light_precision(settings), exposure_precision(settings)
    precision = bands + np.kron(np.outer(seen, seen), gathered)
    missing = np.full(3, settings.exposure - AMBIENT * seen[0])
    mean = np.linalg.solve(precision, np.kron(seen, gathered @ missing))
    return Prior("illumination", mean, precision)


def _told(settings: PhotometricSettings, hints: Sequence[Hint]) -> PhotometricSettings:
    """The settings with the exposure that they and the hints agree on.

    A hint that contradicts them is none: closed lids are no whites.
    """
    usual, spread = math.log(settings.exposure), settings.exposure_spread
    kept = [h for h in hints if abs(h.level - usual) < _AGREES * math.hypot(h.spread, spread)]
    levels = np.array([usual, *(hint.level for hint in kept)])
    worth = np.array([spread, *(hint.spread for hint in kept)]) ** -2
    level, spread = (worth @ levels) / worth.sum(), worth.sum() ** -0.5
    return replace(settings, exposure=math.exp(level), exposure_spread=float(spread))


def seen_harmonics(scene: Scene) -> Float[np.ndarray, "9"]:
    """The harmonics whose product with the light is the mean irradiance of the seen face."""
    weight = seen_weight(scene)
    return to_numpy(weight @ scene.harmonics / weight.sum().clamp(min=1e-6)).astype(float)


def exposure_precision(settings: PhotometricSettings) -> Float[np.ndarray, "3 3"]:
    """Of the three channels of that irradiance: brightness varies, colour less.

    Args:
        settings: both standard deviations, as shares of the expected exposure.
    """
    common = np.full((3, 3), 1 / 3)
    bright, tint = settings.exposure_spread, settings.tint_spread
    return (common / bright**2 / 3 + (np.eye(3) - common) / tint**2) / settings.exposure**2
