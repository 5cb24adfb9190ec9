"""What is drawn onto made frames: the label that says what they are, and panels side by side."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

from morphface.pipelines.window import DARK, LIGHT

__all__ = ["WORDS", "Label", "side_by_side"]

WORDS = "synthetic"
_SHARE = 1 / 26
"""Height of the letters by that of the picture."""
_SMALLEST = 9
_OPACITY = 0.65


@dataclass(frozen=True, eq=False)
class Label:
    """A few words on a dark ground, to be laid over pictures.

    Args:
        colour: of its pixels.
        opacity: of its pixels.
    """

    colour: Float[Tensor, "h w 3"]
    opacity: Float[Tensor, "h w 1"]

    @classmethod
    def of(cls, words: str, size: tuple[int, int]) -> "Label":
        """The words as large as pictures of a size want them.

        Args:
            words: of the label.
            size: height and width of the pictures.
        """
        height = max(_SMALLEST, round(size[0] * _SHARE))
        font = ImageFont.load_default(height)
        while font.getlength(words) + height > size[1] and height > 4:
            height -= 1
            font = ImageFont.load_default(height)
        box = (round(font.getlength(words)) + height, round(1.5 * height))
        ink = Image.new("L", box)
        middle = (box[0] / 2, box[1] / 2)
        ImageDraw.Draw(ink).text(middle, words, fill=255, font=font, anchor="mm")
        written = torch.from_numpy(np.array(ink)).float()[..., None] / 255
        dark, light = (torch.tensor(colour) / 255 for colour in (DARK, LIGHT))
        colour = torch.lerp(dark.expand(*written.shape[:2], 3), light, written)
        return cls(colour, _OPACITY + (1 - _OPACITY) * written)

    def over(self, picture: Float[Tensor, "H W 3"], corner: str) -> Float[Tensor, "H W 3"]:
        """A picture with the label in a corner of it.

        Args:
            picture: to lay it over.
            corner: "top left" or "bottom right".
        """
        height = min(self.colour.shape[0], picture.shape[0])
        width = min(self.colour.shape[1], picture.shape[1])
        top, left = (0, 0) if corner == "top left" else _distance(picture, height, width)
        where = slice(top, top + height), slice(left, left + width)
        out = picture.clone()
        ink, share = self.colour[:height, :width], self.opacity[:height, :width]
        out[where] = torch.lerp(out[where], ink, share.expand_as(ink))
        return out


def side_by_side(
    pictures: Mapping[str, Float[Tensor, "H W C"]], side: int
) -> Float[Tensor, "side W 3"]:
    """Square pictures in a row, each with its name in a corner.

    Args:
        pictures: by name; of one channel or more.
        side: of each in the row.
    """
    row = []
    for name, picture in pictures.items():
        panel = _resized(_coloured(picture), side)
        row.append(Label.of(name, (side, side)).over(panel, "top left"))
    return torch.cat(row, dim=1)


def _distance(picture: Tensor, height: int, width: int) -> tuple[int, int]:
    return picture.shape[0] - height, picture.shape[1] - width


def _coloured(picture: Float[Tensor, "H W C"]) -> Float[Tensor, "H W 3"]:
    """Three channels: one is repeated, a missing third is empty."""
    channels = picture.shape[-1]
    if channels == 1:
        return picture.expand(-1, -1, 3)
    empty = picture.new_zeros(*picture.shape[:2], max(3 - channels, 0))
    return torch.cat([picture, empty], dim=-1)[..., :3]


def _resized(picture: Float[Tensor, "H W 3"], side: int) -> Float[Tensor, "S S 3"]:
    if picture.shape[:2] == (side, side):
        return picture
    planes = picture.permute(2, 0, 1)[None]
    found = interpolate(planes, (side, side), mode="bilinear", antialias=True)
    return found[0].permute(1, 2, 0).clamp(0, 1)
