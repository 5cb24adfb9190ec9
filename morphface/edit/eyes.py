"""Blinks that close fully, whatever the two pairs of eyes.

One weight closes narrow eyes long before wide ones. So the target's eyes are opened by the same
share of their own resting opening as the source's are of theirs: closed is closed, and rest is
rest (Head2Head's ratio of mean eye openings, in three dimensions).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.edit.openings import Openings
from morphface.edit.rest import resting_gaps
from morphface.models import MorphableModel

__all__ = ["matched_eyes"]

_LIDS = ("eyeBlinkLeft", "eyeBlinkRight")
_WEAK = 0.5
"""A direction that moves a lid by fewer millimetres a unit cannot close an eye."""


def matched_eyes(
    expression: Float[Tensor, "T E"],
    model: MorphableModel,
    source: Openings,
    target: Openings,
) -> Float[Tensor, "T E"]:
    """The expression with the target's lids as far open as the source's, by share.

    Args:
        expression: of the target, as transferred.
        model: that it belongs to.
        source: what was transferred.
        target: the target before the transfer.
    """
    wanted = source.gaps[:, :2] * (resting_gaps(target) / resting_gaps(source))
    out = expression
    for side in range(2):
        slope = target.slopes[:, side]
        closing = _closing(model, slope, side)
        if closing is None:
            continue
        gap = target.neutral[side] + out @ slope
        out = out + ((wanted[:, side] - gap) / (closing @ slope))[:, None] * closing
    return out


def _closing(
    model: MorphableModel, slope: Float[Tensor, " E"], side: int
) -> Float[Tensor, " E"] | None:
    """The change of coefficients that closes an eye: a blink by name, or the likeliest change."""
    closing = torch.zeros_like(slope)
    if _LIDS[side] in model.expression.names:
        closing[model.expression.names.index(_LIDS[side])] = 1.0
    else:
        free = torch.isinf(model.expression.bounds).all(dim=1)
        closing[free] = -slope[free] / slope[free].norm().clamp(min=1e-9)
    return closing if float((closing @ slope).abs()) > _WEAK else None
