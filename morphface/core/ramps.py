"""From 0 to 1 between two limits, straight or smoothly."""

from typing import TypeVar

import numpy as np
from torch import Tensor

__all__ = ["ramp", "smoothstep"]

_Values = TypeVar("_Values", Tensor, np.ndarray)


def ramp(values: _Values, low: float, high: float) -> _Values:
    """Straight from 0 at one limit to 1 at the other.

    Args:
        values: any.
        low: where 0 is, and beyond; it may be the higher one.
        high: where 1 is, and beyond.
    """
    return ((values - low) / (high - low)).clip(0, 1)


def smoothstep(values: Tensor, low: float, high: float) -> Tensor:
    """As `ramp`, but level at both ends: 3 r^2 - 2 r^3, which shading languages call so.

    Args:
        values: any.
        low: where 0 is, and beyond; it may be the higher one.
        high: where 1 is, and beyond.
    """
    share = ramp(values, low, high)
    return share * share * (3 - 2 * share)
