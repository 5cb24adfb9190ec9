"""Looking up a picture where a flow leads.

A flow is a backward map, as in `render/flow.py`: x and y in pixels that lead from the centre of
each pixel of the result to its place in the picture.
"""

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample

from morphface.core.check import check_shape
from morphface.core.errors import ShapeError

__all__ = ["STILL", "centres", "enlarged", "look_up", "settled", "warp_picture"]

STILL = 2e-3
"""Flow shorter than this, in pixels, is rounding: nothing has moved."""


def warp_picture(
    picture: Float[Tensor, "#T h w C"], flow: Float[Tensor, "#T H W 2"]
) -> Float[Tensor, "T H W C"]:
    """The picture's colours where the flow leads, by cubic convolution; its border goes on.

    Sharper than the bilinear `warp_by_flow`, and may exceed the range of the picture a little. A
    flow of zero returns the picture bit by bit. Differentiable in both.

    Args:
        picture: that the flow points into.
        flow: of the result.

    Raises:
        ShapeError: an argument lacks the axes above, or their batches differ.
    """
    check_shape("picture", picture, None, None, None, None)
    check_shape("flow", flow, None, None, None, 2)
    if len(picture) != len(flow) and 1 not in (len(picture), len(flow)):
        raise ShapeError(
            "picture and flow must have as many frames, or one of them a single one, "
            f"got {len(picture)} and {len(flow)}"
        )
    place = flow + centres(flow.shape[1], flow.shape[2], flow)
    found = look_up(picture.expand(max(len(picture), len(flow)), -1, -1, -1), place)
    if picture.shape[1:3] != flow.shape[1:3]:
        return found
    return torch.where((flow == 0).all(-1, keepdim=True), picture, found)


def look_up(
    picture: Float[Tensor, "T h w C"], place: Float[Tensor, "#T H W 2"], mode: str = "bicubic"
) -> Float[Tensor, "T H W C"]:
    """Colours at places in a picture; beyond its border, those of the border.

    Args:
        picture: to look into.
        place: x and y in pixels, the first pixel's centre is at (0.5, 0.5).
        mode: "bicubic", or "bilinear".
    """
    height, width = picture.shape[1:3]
    grid = place * (2 / place.new_tensor([width, height])) - 1
    return grid_sample(
        picture.movedim(-1, 1),
        grid.expand(len(picture), -1, -1, -1),
        mode=mode,
        padding_mode="border",
        align_corners=False,
    ).movedim(1, -1)


def settled(flow: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
    """The flow with exact zeros where it is nothing but rounding."""
    return torch.where(flow.abs().amax(-1, keepdim=True) < STILL, 0.0, flow)


def enlarged(
    values: Float[Tensor, "h w C"],
    size: tuple[int, int],
    rows: tuple[int, int] | None = None,
) -> Float[Tensor, "H W C"]:
    """Values of a coarse picture at the pixels of a finer one of the same extent, bilinear.

    Args:
        values: of the coarse picture.
        size: height and width of the finer one.
        rows: the first of its rows that is wanted, and the one after the last; None is all.
    """
    first, last = rows or (0, size[0])
    if values.shape[:2] == size:
        return values[first:last]
    if values.dtype == torch.float32 and values.device.type == "cpu" and not values.requires_grad:
        if rows is not None:
            values = _between_rows(values, size[0], rows)
        return _resized(values, (last - first, size[1]))
    place = centres(last - first, size[1], values) + values.new_tensor([0.0, float(first)])
    ratio = [n / m for n, m in zip(values.shape[:2], size, strict=True)]
    place = place * values.new_tensor([ratio[1], ratio[0]])
    return look_up(values[None], place[None], "bilinear")[0]


def _between_rows(
    values: Float[Tensor, "h w C"], height: int, rows: tuple[int, int]
) -> Float[Tensor, "H w C"]:
    """Some rows of a picture that is enlarged to a height."""
    place = (torch.arange(*rows) + 0.5) * (len(values) / height) - 0.5
    above = place.clamp(0, len(values) - 1).floor().long()
    below = (above + 1).clamp(max=len(values) - 1)
    return torch.lerp(values[above], values[below], (place - above).clamp(0, 1)[:, None, None])


def _resized(values: Float[Tensor, "h w C"], size: tuple[int, int]) -> Float[Tensor, "H W C"]:
    """The same along both axes, by OpenCV, which is the quicker one."""
    picture = np.ascontiguousarray(values.numpy())
    found = np.asarray(cv2.resize(picture, size[::-1], interpolation=cv2.INTER_LINEAR))
    return torch.from_numpy(found.reshape(*size, -1))


def centres(rows: int, columns: int, like: Tensor) -> Float[Tensor, "H W 2"]:
    """Where the centres of pixels are, x and y.

    Args:
        rows: how many.
        columns: how many.
        like: a tensor of the wanted kind.
    """
    y, x = (torch.arange(n, device=like.device).to(like.dtype) + 0.5 for n in (rows, columns))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
