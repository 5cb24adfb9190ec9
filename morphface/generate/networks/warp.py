"""Pictures and features moved by a flow in pixels: backward, bilinear, the border goes on beyond.

Positions are computed in float32 whatever the precision around: half a pixel of 256 is 0.2 %.
Pixel centres are where `render.warp_by_flow` has them, whose result is the same.
"""

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from morphface.core.check import check_shape

__all__ = ["full_precision", "halved_flow", "warped"]


def warped(
    picture: Float[Tensor, "B C H W"], flow: Float[Tensor, "B 2 H W"]
) -> Float[Tensor, "B C H W"]:
    """What `picture` shows where the flow leads.

    Args:
        picture: that the flow points into.
        flow: x and y in pixels, from the centre of each pixel of the result.

    Raises:
        ShapeError: the flow has not the size of the picture.
    """
    height, width = picture.shape[-2:]
    check_shape("flow", flow, len(picture), 2, height, width)
    with full_precision(picture):
        there = flow.float()
        x = torch.arange(width, device=flow.device) + 0.5 + there[:, 0]
        y = torch.arange(height, device=flow.device)[:, None] + 0.5 + there[:, 1]
        grid = torch.stack([x * (2 / width) - 1, y * (2 / height) - 1], dim=-1)
        found = grid_sample(picture.float(), grid, "bilinear", "border", align_corners=False)
    return found.to(picture.dtype)


def halved_flow(flow: Float[Tensor, "B 2 H W"]) -> Float[Tensor, "B 2 h w"]:
    """The flow between pictures of half the size: its mean, in their pixels.

    Args:
        flow: x and y in pixels.
    """
    with full_precision(flow):
        return avg_pool2d(flow.float(), 2) / 2


def full_precision(like: Tensor) -> AbstractContextManager[object]:
    """Within it nothing is cast to half precision, whatever is around.

    Args:
        like: on the device that computes.
    """
    if like.device.type == "meta":  # which knows shapes only
        return nullcontext()
    return torch.autocast(like.device.type, enabled=False)
