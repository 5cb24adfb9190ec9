"""The light on skin that no photo shows: what harmonics make of it is a guess without bounds."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.rerender.looks import DIMMEST

__all__ = ["FALLS", "LIT", "believed"]

LIT = 0.02, 0.98
"""Quantiles of the light on the skin that is seen, between which all light on skin is: narrower
ones cost heads in harmonic light 1 dB in `benchmarks/bench_views.py`, and the scan nothing."""
FALLS = 0.15
"""Logarithm of how much darker yet what no photo shows may be, so that heads in light from the
front get round: as much again costs the scan of `benchmarks/bench_views.py` 0.1 dB."""


def believed(light: Float[Tensor, "V 3"], seen: Bool[Tensor, " V"]) -> Float[Tensor, "V 3"]:
    """Light that is nowhere brighter and hardly darker than on the skin that is seen.

    Args:
        light: on each vertex, as it was fitted.
        seen: which of them show skin, and well.
    """
    if not bool(seen.any()):
        return light
    low, high = (torch.quantile(light[seen], q, dim=0) for q in LIT)
    bounded = torch.minimum(torch.maximum(light, low), high)
    beyond = low.mean().log() - light.mean(-1, keepdim=True).clamp(min=DIMMEST).log()
    return bounded * (-FALLS * torch.tanh(beyond.clamp(min=0) / FALLS)).exp()
