"""What photos show behind their person, with what the person hides filled in from around it."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

__all__ = ["background", "doubled_size"]

_SURE = 4.0
"""Share of a pixel that must be background to count as such, inverted."""


def background(
    photos: Sequence[Float[Tensor, "B C H W"]], mattes: Sequence[Float[Tensor, "B 1 H W"]]
) -> Float[Tensor, "B C H W"]:
    """The photos' mean where no person is; elsewhere ever coarser means of what is around.

    Args:
        photos: whose height and width are powers of two.
        mattes: where the person is in each.
    """
    seen = torch.stack([1 - matte for matte in mattes]).sum(0)
    colours = torch.stack([p * (1 - m) for p, m in zip(photos, mattes, strict=True)]).sum(0)
    levels = [(colours, seen)]
    while min(levels[-1][1].shape[-2:]) > 1:
        levels.append((avg_pool2d(levels[-1][0], 2), avg_pool2d(levels[-1][1], 2)))
    found = levels[-1][0] / levels[-1][1].clamp(min=1e-6)
    for some, weight in levels[-2::-1]:
        sure = (_SURE * weight).clamp(max=1)
        found = sure * some / weight.clamp(min=1e-6) + (1 - sure) * doubled_size(found)
    return found


def doubled_size(picture: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
    """Twice the size, bilinear."""
    if not picture.shape[1]:
        return picture.new_zeros(len(picture), 0, *(2 * n for n in picture.shape[-2:]))
    return interpolate(picture, scale_factor=2, mode="bilinear", align_corners=False)
