"""Values that are known in a part of a picture, extended over all of it.

Means of what is known, weighted by where it is, are taken at widths that double; each pixel has
that of the finest width that reaches it.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

__all__ = ["blurred", "extended"]

REACHED = 0.1
"""Share of a neighbourhood that must be known for its mean to count wholly."""


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
        near = blurred(parts, level)
        share = near[:, -1:]
        mean = near[:, :-1] / share.clamp(min=1e-6)
        found = torch.lerp(found, mean, (share / REACHED).clamp(0, 1))
    return found


def blurred(values: Float[Tensor, "T C H W"], level: int) -> Float[Tensor, "T C H W"]:
    """Means over neighbourhoods of about 2^level pixels, smooth, by way of a smaller picture.

    Args:
        values: of the picture.
        level: logarithm of how wide.
    """
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
