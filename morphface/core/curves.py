"""Curves through values: smooth, and between two values never beyond them."""

import numpy as np
from jaxtyping import Float

__all__ = ["monotone"]


def monotone(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], at: Float[np.ndarray, " k"]
) -> Float[np.ndarray, " k"]:
    """A cubic curve through points that rises and falls only where they do.

    Slopes are weighted harmonic means of those beside (Fritsch and Butland 1984, eq. 5), at the
    ends of a parabola, held to the same (Moler 2004, section 3.6). What scipy's `PchipInterpolator`
    computes, without the import of its optimisers.

    Args:
        x: places, rising; at least three.
        y: values there.
        at: where the curve is wanted, between the first place and the last.
    """
    step, rise = np.diff(x), np.diff(y) / np.diff(x)
    slopes = np.zeros_like(y)
    turns = rise[:-1] * rise[1:] <= 0
    before, after = step[:-1] + 2 * step[1:], 2 * step[:-1] + step[1:]
    parts = [np.where(turns, 1.0, one) for one in (rise[:-1], rise[1:])]
    mean = 3 * (step[:-1] + step[1:]) / (before / parts[0] + after / parts[1])
    slopes[1:-1] = np.where(turns, 0.0, mean)
    slopes[0] = _end(step[0], step[1], rise[0], rise[1])
    slopes[-1] = _end(step[-1], step[-2], rise[-1], rise[-2])
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(step) - 1)
    wide, share = step[piece], (at - x[piece]) / step[piece]
    left, right = wide * slopes[piece], wide * slopes[piece + 1]
    low, high = y[piece], y[piece + 1]
    bent = (left - (high - low)) * (1 - share) - (right - (high - low)) * share
    curve: Float[np.ndarray, " k"] = low + share * (high - low + (1 - share) * bent)
    return curve


def _end(near: float, far: float, first: float, second: float) -> float:
    """The slope at an end, from the widths and slopes of the two pieces there."""
    slope = ((2 * near + far) * first - near * second) / (near + far)
    if slope * first <= 0:
        return 0.0
    return 3 * first if first * second < 0 and abs(slope) > 3 * abs(first) else slope
