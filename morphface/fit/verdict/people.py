"""The share of a person's frames in a video that is right, from what is known of the person.

Clips can be told apart by it, frames of one clip can not (`benchmarks/bench_person_quality.py`).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.fit.verdict.quality import logarithm

__all__ = [
    "LEAST_SAID",
    "PERSON_WEIGHTS",
    "PersonMeasures",
    "lost_nearby",
    "person_features",
    "person_quality",
]

PERSON_WEIGHTS = {"": 1.166, "usual": -1.07, "blind": -2.461, "lost": -4.794}
"""Of a logistic regression on 293 people of 404 rendered clips: found there, and judged on fresh
ones, by `benchmarks/bench_person_quality.py`."""

LEAST_SAID = 0.2
"""The share that is right of people for whom nothing speaks, crossed on the same clips: of them a
logistic function that comes down to 0 says too little."""

_NEAR = 0.5  # seconds either way in which a loss speaks against a frame
_usual = logarithm(0.015, -1.0, 3.0)  # eye distances: the usual landmark error of a clear face


@dataclass(frozen=True)
class PersonMeasures:
    """What is known of a person in a video that was tracked by pixels.

    Args:
        usual: the median landmark error of the person's key frames, in eye distances.
        blind: the share of the frames that show the person in which pixels had no say.
        lost: how much of the time around these frames the person is lost, see `lost_nearby`.
    """

    usual: float
    blind: float
    lost: float

    def record(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def lost_nearby(
    lost: Bool[Tensor, " T"], times: Float[Tensor, " T"], shots: Int[Tensor, " T"]
) -> float:
    """The share of the frames half a second around one that shows a person in which it is lost.

    A mean over all frames that show the person. Frames of other shots do not count, nor does when
    somebody comes or goes, but for that half second.

    Args:
        lost: whether the person is lost in each frame.
        times: of the frames in seconds, rising.
        shots: their numbers, which never fall.

    Returns:
        From 0 to below 1; NaN where the person is lost in all frames.
    """
    first = torch.maximum(
        torch.searchsorted(times, times - _NEAR), torch.searchsorted(shots, shots)
    )
    end = torch.minimum(
        torch.searchsorted(times, times + _NEAR, right=True),
        torch.searchsorted(shots, shots, right=True),
    )
    sums = torch.cat([torch.zeros(1), lost.float().cumsum(dim=0)])
    return float(((sums[end] - sums[first]) / (end - first))[~lost].mean())


def person_features(measures: PersonMeasures) -> dict[str, float]:
    """What is made of each measure, by its name.

    Args:
        measures: of a person.
    """
    return measures.record() | {"usual": _usual(measures.usual)}


def person_quality(
    measures: PersonMeasures, weights: Mapping[str, float] = PERSON_WEIGHTS
) -> float:
    """The share of the frames that show such a person that is right, `LEAST_SAID` to 1.

    That least share, and the rest times a logistic function (Cox, 1958) of the features.

    Args:
        measures: of the person.
        weights: of `person_features`, and of 1 by the name "".
    """
    found = person_features(measures) | {"": 1.0}
    total = sum(weight * found[name] for name, weight in weights.items())
    return LEAST_SAID + (1 - LEAST_SAID) / (1 + math.exp(min(-total, 30.0)))
