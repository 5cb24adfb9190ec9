"""A picture in memory: float32 RGB in [0, 1], upright, and what is known of its file."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record
from morphface.media.original import Original

__all__ = ["UPRIGHT", "Photo", "to_uint8"]

UPRIGHT = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 1),
    6: (False, 3),
    7: (True, 3),
    8: (False, 1),
}
"""EXIF orientation -> (mirror left-right first?, then quarter turns counter-clockwise)."""


@dataclass(frozen=True, eq=False)
class Photo(Record):
    """A picture, and what its file says about the camera.

    Args:
        pixels: RGB in [0, 1], sRGB. May be given in 8 bits, 0 to 255: they become floats when they
            are first asked for, and `to_uint8` costs nothing.
        focal: focal length in pixels as the file states it, None where it does not.
        source: where the picture came from.
        orientation: the EXIF orientation, 1 to 8, that was undone to get `pixels`.
        turns: quarter turns counter-clockwise applied beyond that.
        original: the samples of the file, upright like `pixels`, where these say less: it has
            transparency, more than 8 bits, or a colour profile. None otherwise.
    """

    pixels: Float[Tensor, "H W 3"] | UInt8[Tensor, "H W 3"]
    focal: float | None = None
    source: str = "array"
    orientation: int = 1
    turns: int = 0
    original: Original | None = None

    def __post_init__(self) -> None:
        check_shape("pixels", self.pixels, None, None, 3)
        if self.pixels.dtype == torch.uint8:
            object.__setattr__(self, "_bytes", self.pixels)
            object.__delattr__(self, "pixels")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Tensor:
            """The pixels, made from the bytes that were given; kept from then on."""
            if name != "pixels" or "_bytes" not in self.__dict__:
                raise AttributeError(f"Photo has no attribute {name!r}")
            object.__setattr__(self, "pixels", torch.div(self._bytes, 255))
            return self.pixels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        given: Tensor = self.__dict__["_bytes" if "_bytes" in self.__dict__ else "pixels"]
        return given.shape[0], given.shape[1]

    def turned(self, quarter_turns: int) -> "Photo":
        """The picture turned counter-clockwise by so many quarter turns."""
        return replace(self._moved(False, quarter_turns), turns=(self.turns + quarter_turns) % 4)

    def stored(self) -> "Photo":
        """The picture as the file stores it: turns and EXIF orientation undone."""
        mirror, turns = UPRIGHT[self.orientation]
        back = self._moved(False, -(self.turns + turns))._moved(mirror, 0)
        return replace(back, orientation=1, turns=0)

    def to_uint8(self) -> UInt8[Tensor, "H W 3"]:
        """The pixels rounded to 0..255; as they were given, if they were given so."""
        given: Tensor | None = self.__dict__.get("_bytes")
        return to_uint8(self.pixels) if given is None else given

    def part(self, rows: Int[Tensor, " h"], columns: Int[Tensor, " w"]) -> Float[Tensor, "h w 3"]:
        """Some of the pixels, without making floats of all of them.

        Args:
            rows: which.
            columns: of these.
        """
        given: Tensor | None = self.__dict__.get("_bytes")
        if given is None:
            return self.pixels[rows[:, None], columns]
        return torch.div(given[rows[:, None], columns], 255)

    def _moved(self, mirror: bool, turns: int) -> "Photo":
        """Mirrored left-right if asked for, then turned counter-clockwise."""
        pixels = self.pixels.flip(1) if mirror else self.pixels
        pixels = torch.rot90(pixels, turns % 4).contiguous()
        kept = None if self.original is None else self.original.moved(mirror, turns)
        return replace(self, pixels=pixels, original=kept)


def to_uint8(pixels: Float[Tensor, "H W 3"]) -> UInt8[Tensor, "H W 3"]:
    """Values of [0, 1] rounded to 0..255.

    Args:
        pixels: RGB; what is beyond the range is cut off.
    """
    return (pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8)
