"""Medians of values that count differently."""

from jaxtyping import Float
from torch import Tensor

__all__ = ["weighted_median"]

_TIE = 1e-6
"""Difference of sums of weights up to which they are balanced."""


def weighted_median(
    values: Float[Tensor, "P N C"], weight: Float[Tensor, "P N"]
) -> Float[Tensor, "N C"]:
    """Over the first axis; the mean of both middles where the weights are balanced.

    Args:
        values: of each channel by itself.
        weight: how much each counts.
    """
    order = values.argsort(dim=0)
    ordered = values.gather(0, order)
    share = weight[..., None].expand_as(values).gather(0, order).cumsum(0)
    half = 0.5 * share[-1]
    low = (share < half - _TIE).sum(0, keepdim=True).clamp(max=len(values) - 1)
    high = (share <= half + _TIE).sum(0, keepdim=True).clamp(max=len(values) - 1)
    return ((ordered.gather(0, low) + ordered.gather(0, high)) / 2)[0]
