"""Clips that lie there as pictures: a folder, or a pattern as `frames/%05d.png` or `*.png`."""

import math
import re
from collections.abc import Generator, Sequence
from fractions import Fraction
from pathlib import Path

from morphface.core.errors import ImageError, ParameterError
from morphface.media.images import Photo, read_image
from morphface.media.paths import PICTURES
from morphface.media.video.probe import Probe
from morphface.media.video.reader import Frame, Video, evenly

__all__ = ["RATE", "PictureSequence", "pictures_at"]

RATE = 25.0
"""Frames in a second of pictures, where nobody says how many."""

_RATES = (0.01, 1000.0)
_NUMBER = re.compile(r"%0?(\d*)d")


def pictures_at(path: Path) -> list[Path] | None:
    """The pictures of a folder or a pattern, in their order; 2 comes before 10.

    Args:
        path: of a folder; or with `%05d`, `%d` or `*` in its name.

    Returns:
        None where the path is none of these, or a folder without pictures.

    Raises:
        ImageError: nothing fits the pattern.
    """
    if path.is_dir():
        found = [file for file in path.iterdir() if file.suffix.lower() in PICTURES]
        return sorted((file for file in found if not file.name.startswith(".")), key=_order) or None
    is_pattern = _NUMBER.search(path.name) or "*" in path.name
    if not is_pattern or path.exists() or not path.parent.is_dir():
        return None
    fits = re.compile(_expression(path.name))
    found = [file for file in path.parent.iterdir() if fits.fullmatch(file.name)]
    if not found:
        raise ImageError(f"no file is named like {path}; check the pattern")
    return sorted(found, key=_order)


class PictureSequence(Video):
    """Pictures to iterate like a video; `of` makes one.

    Args:
        path: of the folder or the pattern.
        known: what is known of them.
        span: from when to when frames are given, in seconds.
        every: one frame of so many is given.
        files: the pictures, in order.
    """

    def __init__(
        self,
        path: Path,
        known: Probe,
        span: tuple[float, float],
        every: int,
        *,
        files: Sequence[str | Path],
    ) -> None:
        super().__init__(path, known, span, every)
        self._files = files

    @classmethod
    def of(
        cls,
        path: Path,
        files: Sequence[str | Path],
        rate: float | None = None,
        *,
        span: tuple[float, float] = (0.0, math.inf),
        every: int = 1,
    ) -> "PictureSequence":
        """The clip of some pictures.

        Args:
            path: of the folder or the pattern.
            files: the pictures, in order.
            rate: frames in a second; None takes 25.
            span: from when to when frames are given, in seconds.
            every: one frame of so many is given.

        Raises:
            ParameterError: `rate` is none.
            ImageError: the first picture cannot be read.
        """
        rate = RATE if rate is None else rate
        low, high = _RATES
        if not low <= rate <= high:
            raise ParameterError(
                f"rate must be from {low:g} to {high:g} frames a second, got {rate:g}"
            )
        known = Probe(
            size=read_image(files[0]).size,
            aspect=None,
            rate=rate,
            step=1 / Fraction(rate).limit_denominator(1001),
            origin=0,
            duration=len(files) / rate,
            slack=0.0,
            frames=len(files),
            has_sound=False,
        )
        return cls(path, known, span, every, files=files)

    def spread(self, n: int) -> list[Frame]:
        """Up to `n` frames spread evenly over the span, whatever `every` is.

        Raises:
            ParameterError: `n` is below 1.
        """
        return [self._picture(number) for number in evenly(self._numbers(), n)]

    def _iterate(self) -> Generator[Frame, None, None]:
        numbers = self._numbers()
        if not numbers:
            raise self._empty()
        for number in numbers[:: self.every]:
            yield self._picture(number)

    def _numbers(self) -> list[int]:
        """Those of the frames of the span."""
        low, high = (end - 1e-6 for end in self.span)
        return [n for n in range(len(self._files)) if low <= self.known.seconds(n) < high]

    def _picture(self, number: int) -> Frame:
        photo = read_image(self._files[number])
        if photo.size != self.size:
            raise ImageError(
                f"{photo.source} has {photo.size[1]} x {photo.size[0]} pixels, the first picture "
                f"of its folder {self.size[1]} x {self.size[0]}; make them equal"
            )
        if photo.original is None:  # it had 8 bits
            photo = Photo(photo.to_uint8(), photo.focal, photo.source, photo.orientation)
        return Frame(self.developed(photo), number, self.known.seconds(number))


def _expression(pattern: str) -> str:
    """The regular expression of a pattern."""
    parts = re.split(r"(%0?\d*d|\*)", pattern)
    return "".join(_part(part) for part in parts)


def _part(part: str) -> str:
    number = _NUMBER.fullmatch(part)
    if number is None:
        return "[^/]*" if part == "*" else re.escape(part)
    return rf"\d{{{int(number[1] or 1)},}}"


def _order(file: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", file.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
