"""The flow of a mesh, extended over the whole picture: where to look for what is beside the head.

Hair, neck and shoulders have no mesh, but move about as the nearest part of it does
(`media.extend`).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record
from morphface.media.extend import blurred, extended
from morphface.render.flow import Flow

__all__ = ["FlowPrior", "flow_prior"]

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


def _nearness(known: Float[Tensor, "T 1 H W"]) -> Float[Tensor, "T 1 H W"]:
    """From 1 at the outline of what is known to 0 away from it."""
    level = max(max(known.shape[-2:]) // FADING, 1).bit_length() - 1
    return (2 * blurred(known, level)).clamp(0, 1)
