"""Small pictures of heads and maps, drawn without matplotlib: tiles, sheets, and their bytes."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from morphface.media.images import Photo
from morphface.pipelines.window import DARK, LIGHT

__all__ = ["Picture", "blank", "captioned", "data_uri", "evenly", "png", "sheet", "to_picture"]

Picture = Image.Image
"""In 8 bits, RGB."""
LARGEST = 1000
"""Longest side of a picture that is shown, in pixels; larger ones are shrunk."""
STRIP = 18
"""Height of a caption, in pixels."""
_GAP = 4
_QUALITY = 88


@dataclass(frozen=True)
class _Cell:
    """A picture, and where its left upper corner comes to lie."""

    picture: Picture
    place: tuple[int, int]


def to_picture(pixels: Tensor | Photo, longest: int | None = None) -> Picture:
    """RGB in [0, 1], or in 8 bits, as a picture.

    Args:
        pixels: H x W x 3, or a photo.
        longest: shrink it until no side is longer, in pixels.
    """
    if isinstance(pixels, Photo):
        pixels = pixels.to_uint8()
    if pixels.dtype != torch.uint8:
        pixels = Photo(torch.nan_to_num(pixels.detach().float())).to_uint8()
    return _within(Image.fromarray(pixels.cpu().contiguous().numpy()), longest or LARGEST)


def _within(picture: Picture, longest: int) -> Picture:
    share = longest / max(picture.size)
    if share >= 1:
        return picture
    width, height = (max(1, round(side * share)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def blank(width: int, height: int) -> Picture:
    """Nothing, on the ground that all pictures have."""
    return Image.new("RGB", (width, height), DARK)


def captioned(picture: Picture, words: str) -> Picture:
    """The picture with a few words above it."""
    out = blank(picture.width, picture.height + STRIP)
    out.paste(picture, (0, STRIP))
    font = ImageFont.load_default(12)
    ImageDraw.Draw(out).text((5, STRIP / 2), words, fill=LIGHT, font=font, anchor="lm")
    return out


def sheet(rows: Sequence[Sequence[Picture]], gap: int = _GAP) -> Picture:
    """Pictures in rows, one under the other, on a dark ground.

    Args:
        rows: of pictures, of any sizes.
        gap: between pictures, in pixels.
    """
    cells, y, width = [], 0, 1
    for row in rows:
        x = 0
        for picture in row:
            cells.append(_Cell(picture, (x, y)))
            x += picture.width + gap
        width = max(width, x - gap)
        y += max((picture.height for picture in row), default=-gap) + gap
    out = blank(width, max(y - gap, 1))
    for cell in cells:
        out.paste(cell.picture, cell.place)
    return out


def evenly(length: int, count: int) -> list[int]:
    """Up to `count` places of a sequence, from the first to the last."""
    chosen = torch.linspace(0, max(length - 1, 0), max(min(count, length), 0))
    return [int(place) for place in chosen.round()]


def png(picture: Picture) -> bytes:
    """The picture as the bytes of a PNG file."""
    return _bytes(_within(picture, LARGEST), "PNG")


def data_uri(picture: Picture) -> str:
    """The picture as an address that holds it."""
    body = _bytes(_within(picture, LARGEST), "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(body).decode("ascii")


def _bytes(picture: Picture, kind: str, **options: int) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()
