"""What is put behind a person in place of what was there."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.render.relief import membrane
from morphface.render.warp import enlarged

__all__ = ["BACKGROUNDS", "backdrop", "check_background", "filling"]

BACKGROUNDS = ("original", "blurred", "plain")
"""What can be behind a person besides a picture."""
PLAIN = 0.86, 0.62
"""Grey at the top and at the bottom."""
BLUR = 160
"""Pixels along the photo that are left of what is blurred."""


def backdrop(
    background: str | Float[Tensor, "H W 3"],
    pixels: Float[Tensor, "H W 3"],
    matte: Float[Tensor, "H W 1"],
) -> Float[Tensor, "H W 3"]:
    """A picture to put behind a person.

    Args:
        background: "blurred", "plain", or a picture.
        pixels: the photo.
        matte: where the person is in it, 0 to 1.

    Raises:
        ParameterError: there is no such background.
        ShapeError: the picture has not the size of the photo.
    """
    height, width = pixels.shape[:2]
    if isinstance(background, Tensor):
        check_shape("background", background, height, width, 3)
        return background
    if background == "plain":
        top, bottom = PLAIN
        return torch.linspace(top, bottom, height)[:, None, None].expand(height, width, 3)
    check_background(background)
    return _blurred(pixels, matte)


def check_background(name: str) -> None:
    """Refuse what is no background.

    Raises:
        ParameterError: with the names there are.
    """
    if name not in BACKGROUNDS:
        raise ParameterError(
            f"background must be one of {', '.join(BACKGROUNDS)}, or a picture, got {name!r}"
        )


def filling(pixels: Float[Tensor, "h w 3"], size: tuple[int, int]) -> Float[Tensor, "H W 3"]:
    """The middle of a picture, enlarged or shrunk so that it fills another size.

    Args:
        pixels: the picture.
        size: height and width to be filled.
    """
    height, width = size
    ratio = max(height / pixels.shape[0], width / pixels.shape[1])
    whole = [
        max(round(side * ratio), least) for side, least in zip(pixels.shape, size, strict=False)
    ]
    planes = interpolate(
        pixels.movedim(-1, 0)[None], whole, mode="bicubic", antialias=True, align_corners=False
    )
    top, left = (whole[0] - height) // 2, (whole[1] - width) // 2
    return planes[0].movedim(0, -1)[top : top + height, left : left + width].clamp(0, 1)


def _blurred(
    pixels: Float[Tensor, "H W 3"], matte: Float[Tensor, "H W 1"]
) -> Float[Tensor, "H W 3"]:
    """The photo out of focus, with what is around the person in their place."""
    height, width = pixels.shape[:2]
    ratio = min(BLUR / max(height, width), 1.0)
    size = max(round(height * ratio), 2), max(round(width * ratio), 2)
    both = torch.cat([pixels, matte], dim=-1).movedim(-1, 0)[None]
    small = interpolate(both, size, mode="area")[0].movedim(0, -1)
    around = membrane(small[..., :3], small[..., 3] < 0.02)
    kernel = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    planes = around.movedim(-1, 0)[:, None]
    for _ in range(4):
        for shape in ((1, 1, 5, 1), (1, 1, 1, 5)):
            pads = (shape[3] // 2, shape[3] // 2, shape[2] // 2, shape[2] // 2)
            wide = torch.nn.functional.pad(planes, pads, mode="replicate")
            planes = torch.nn.functional.conv2d(wide, kernel.reshape(shape))
    return enlarged(planes[:, 0].movedim(0, -1), (height, width))
