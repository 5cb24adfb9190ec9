"""The light on skin that no photo shows: what harmonics make of it is a guess without bounds."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

__all__ = ["LIT", "believed"]

LIT = 0.02, 0.98
"""Quantiles of the light on the skin that is seen, between which all light on skin is: narrower
ones cost heads in harmonic light 1 dB in `benchmarks/bench_views.py`, and the scan nothing."""


def believed(light: Float[Tensor, "V 3"], seen: Bool[Tensor, " V"]) -> Float[Tensor, "V 3"]:
    """Light that is nowhere brighter or darker than on the skin that is seen.

    Args:
        light: on each vertex, as it was fitted.
        seen: which of them show skin, and well.
    """
    if not bool(seen.any()):
        return light
    low, high = (torch.quantile(light[seen], q, dim=0) for q in LIT)
    return torch.minimum(torch.maximum(light, low), high)
