"""The light on skin that no photo shows: what harmonics make of it is a guess without bounds."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.geometry.mesh import normalized, vertex_normals
from morphface.models import MorphableModel

__all__ = ["LIT", "believed", "under_sky"]

LIT = 0.02, 0.98
"""Quantiles of the light on the skin that is seen, between which all light on skin is: narrower
ones cost heads in harmonic light 1 dB in `benchmarks/bench_views.py`, and the scan nothing."""

SKY = 0.3
"""Exponent of the light that a sky above and before a head sheds on what lies below a jaw: picture
values, and half of the light; by eye on the turns of nine people."""
DIMMEST = 0.2
"""Least of that light, of what falls on cheeks."""


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


def under_sky(model: MorphableModel, hidden: Float[Tensor, " V"]) -> Float[Tensor, "V 1"]:
    """What a sky leaves of the light below a jaw that no photo shows, beside that on cheeks.

    A photo from the front tells little of light from above, without which a jaw is no edge.

    Args:
        model: of the head.
        hidden: how far each vertex is below a jaw, and not seen.
    """
    cheeks = model.regions.get("cheeks")
    if cheeks is None:
        return torch.ones(model.size, 1)
    above = normalized(torch.tensor([0.0, 1, 1]))
    light = 1 + vertex_normals(model.identity.mean, model.faces) @ above
    share = light / light[cheeks > 0.5].mean()
    return (share.clamp(DIMMEST, 1) ** (SKY * hidden))[:, None]
