"""The picture that a pinhole camera with square pixels would have taken."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from morphface.geometry.intrinsics import Intrinsics
from morphface.media.photo import Photo

__all__ = ["undistorted"]


def undistorted(photo: Photo, lens: Intrinsics) -> Photo:
    """The photo without the distortion of its lens, at its size; beyond its border that goes on.

    The samples of the file are not those of this picture any more, so `original` is dropped.

    Args:
        photo: as it was taken.
        lens: of the camera, in pixels of this photo.
    """
    if lens.straight:
        return photo
    height, width = photo.size
    x, y = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    places = lens.distorted(torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1).double())
    grid = places / torch.tensor([width, height]) * 2 - 1
    planes = photo.pixels.movedim(-1, 0)[None]
    moved: Tensor = grid_sample(
        planes, grid[None].to(planes), mode="bicubic", padding_mode="border", align_corners=False
    )
    pixels = moved[0].movedim(0, -1).clamp(0, 1).contiguous()
    return replace(photo, pixels=pixels, original=None)
