"""The flow of a mesh, extended over the whole picture: where to look for what is beside the head.

Hair, neck and shoulders have no mesh, but move about as the nearest part of it does. Means of the
flow, weighted by where it is known, are taken at widths that double; each pixel has that of the
finest width that reaches it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from morphface.core.check import check_shape
from morphface.core.records import Record
from morphface.render.flow import Flow

__all__ = ["FlowPrior", "extended", "flow_prior"]

REACHED = 0.1
"""Share of a neighbourhood that must be known for its mean to count wholly."""
FADING = 16
"""Beyond the mesh the prior is trusted as far as this part of the picture's side, ever less."""


@dataclass(frozen=True, eq=False)
class FlowPrior(Record):
    """A flow for every pixel, and how far to trust it.

    Args:
        flow: x and y in pixels, as in `Flow`, beyond the mesh too.
        valid: 1 where both pictures show the point, 0 where the source hides it or it must not be
            taken from there; beyond the mesh from 1 at its outline to 0.
    """

    flow: Float[Tensor, "T H W 2"]
    valid: Float[Tensor, "T H W"]


def flow_prior(flow: Flow, unseen: Bool[Tensor, "T H W"] | None = None) -> FlowPrior:
    """The flow of a mesh, extended over the picture.

    Args:
        flow: of the mesh.
        unseen: pixels of the target that count as hidden in the source whatever the mesh says,
            such as the inside of the mouth, of which the mesh knows little.

    Raises:
        ShapeError: `unseen` has not the size of the flow.
    """
    if unseen is None:
        unseen = torch.zeros_like(flow.covered)
    check_shape("unseen", unseen, *flow.covered.shape)
    known = flow.covered[:, None].to(flow.flow)
    whole = extended(flow.flow.permute(0, 3, 1, 2), known).permute(0, 2, 3, 1)
    seen = (flow.visible & ~unseen).to(flow.flow)
    return FlowPrior(whole, torch.where(flow.covered, seen, _nearness(known)[:, 0]))


def extended(
    values: Float[Tensor, "T C H W"], known: Float[Tensor, "T 1 H W"]
) -> Float[Tensor, "T C H W"]:
    """Values of a mesh, extended over the picture: those of the finest width that reaches a pixel.

    Args:
        values: where they are known, and anything elsewhere.
        known: 1 there, 0 elsewhere.
    """
    return torch.where(known > 0, values, _spread(torch.cat([values * known, known], dim=1)))


def _spread(parts: Float[Tensor, "T D H W"]) -> Float[Tensor, "T C H W"]:
    """Means of what is known, from the coarsest width to the finest that reaches each pixel.

    The last of the D channels says how far the others, times it, are known.
    """
    height, width = parts.shape[-2:]
    total = parts.sum((2, 3), keepdim=True)
    found = (total[:, :-1] / total[:, -1:].clamp(min=1e-6)).expand(-1, -1, height, width)
    for level in reversed(range(max(height, width).bit_length())):
        near = _blurred(parts, level)
        share = near[:, -1:]
        mean = near[:, :-1] / share.clamp(min=1e-6)
        found = torch.lerp(found, mean, (share / REACHED).clamp(0, 1))
    return found


def _blurred(values: Float[Tensor, "T C H W"], level: int) -> Float[Tensor, "T C H W"]:
    """Means over neighbourhoods of about 2^level pixels, smooth, by way of a smaller picture."""
    height, width = values.shape[-2:]
    step = 1 << level
    right, below = -width % step, -height % step
    small = avg_pool2d(pad(values, (0, right, 0, below)), step) if level else values
    for size, stride in (((3, 1), (1, 0)), ((1, 3), (0, 1))):
        border = (stride[1], stride[1], stride[0], stride[0])
        small = avg_pool2d(pad(small, border, mode="replicate"), size, 1)
    if not level:
        return small
    full = interpolate(small, scale_factor=step, mode="bilinear", align_corners=False)
    return full[..., :height, :width]


def _nearness(known: Float[Tensor, "T 1 H W"]) -> Float[Tensor, "T 1 H W"]:
    """From 1 at the outline of what is known to 0 away from it."""
    level = max(max(known.shape[-2:]) // FADING, 1).bit_length() - 1
    return (2 * _blurred(known, level)).clamp(0, 1)
