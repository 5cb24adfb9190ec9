"""The probability that a fit is right, from its measures: a logistic regression.

Weights were found on rendered heads of known shape and pose with one thing wrong with each
(`benchmarks/bench_verdict.py --calibrate`, the even ones; how often fits of some quality are right
is reported of the odd ones). What photos show more of than renderings, such as colours that no
model explains, counts only beyond what is usual in photos.
"""

import math
from collections.abc import Callable

from morphface.fit.verdict.measures import Measures
from morphface.fit.verdict.weights import WEIGHTS

__all__ = ["FEATURES", "features_of", "logarithm", "quality_of", "stage_of"]

_Feature = Callable[[float], float]


def logarithm(unit: float, low: float, high: float) -> _Feature:
    """The logarithm of a number, within limits.

    Args:
        unit: of the number.
        low: the least logarithm.
        high: the greatest one.
    """
    return lambda value: min(max(math.log(max(value, 1e-9) / unit), low), high)


def _beyond(limit: float, most: float) -> _Feature:
    """What a number is beyond a limit, up to some amount."""
    return lambda value: min(max(value - limit, 0.0), most)


def _short(limit: float) -> _Feature:
    """What lacks to a limit."""
    return lambda value: max(limit - value, 0.0)


FEATURES: dict[str, _Feature] = {
    "small": logarithm(100.0, -2.0, 0.0),
    "blurred": _beyond(0.01, 0.05),
    "noisy": _beyond(0.02, 0.2),
    "dark": logarithm(0.3, -3.0, 0.0),
    "saturated": _beyond(0.1, 1.0),
    "cut": _beyond(0.0, 0.6),
    "turned": _beyond(15.0, 75.0),
    "occluded": _beyond(0.25, 0.75),
    "landmarks_pixels": logarithm(0.015, -1.0, 3.0),
    "landmarks_detector": _beyond(0.05, 0.6),
    "detector_pose": _beyond(3.0, 27.0),
    "contradictory": logarithm(0.015, -1.0, 3.0),
    "facing": _beyond(0.05, 0.95),
    "colours": _beyond(0.15, 0.3),
    "unlike": _short(0.5),
    "bound": _beyond(0.6, 0.4),
    "asymmetry": _beyond(0.35, 0.65),
}
"""What is made of each measure."""


def features_of(measures: Measures) -> dict[str, float]:
    """The features by name; 0, which speaks neither for nor against, where nothing was measured.

    Args:
        measures: of a fit.
    """
    found = measures.record()
    return {
        name: 0.0 if math.isnan(found[name]) else feature(found[name])
        for name, feature in FEATURES.items()
    }


def stage_of(with_pixels: bool) -> str:
    """The stage by which the fit of a photo is judged: "linear" or "pixels".

    Args:
        with_pixels: whether it was fitted to pixels.
    """
    return "pixels" if with_pixels else "linear"


def quality_of(measures: Measures, stage: str) -> float:
    """The probability that a fit is right, 0 to 1.

    Args:
        measures: of the fit.
        stage: see `stage_of`.
    """
    found = features_of(measures) | {"": 1.0}
    total = sum(weight * found[name] for name, weight in WEIGHTS[stage].items())
    return 1 / (1 + math.exp(-min(max(total, -30.0), 30.0)))
