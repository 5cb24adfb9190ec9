"""Pictures to compare: a video, a folder of pictures, or one picture; never all in memory."""

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ImageError, ParameterError
from morphface.media.images import read_image
from morphface.media.resample import grid_weights, resample
from morphface.media.video import Frame, Video, read_video
from morphface.pipelines.actors import RATE, is_video

__all__ = ["Clip", "counted", "pairs", "scaled"]

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class Clip:
    """Frames that can be gone through again and again.

    Args:
        path: of a video, a folder of pictures, which count in the order of their names, or a
            picture.

    Raises:
        MissingFileError: there is nothing.
        ImageError: a folder holds no pictures.
        MorphfaceError: as of `read_video` and `read_image`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.video: Video | None = None
        self._files: list[str | Path] = [path]
        if Path(path).is_dir():
            self._files = _pictures(Path(path))
        elif is_video(path):
            self.video = read_video(path)
        self.size = self.video.size if self.video else read_image(self._files[0]).size

    @property
    def frames(self) -> int | None:
        """How many there are; of a video about, and None where it does not tell."""
        return self.video.frames if self.video else len(self._files)

    @property
    def alone(self) -> bool:
        """Whether it is one picture."""
        return self.video is None and len(self._files) == 1

    def __iter__(self) -> Iterator[Frame]:
        """The frames, read as they are asked for."""
        if self.video is not None:
            with self.video as video:
                yield from video
            return
        for number in range(len(self._files)):
            yield self._picture(number)

    def spread(self, n: int) -> list[Frame]:
        """Up to `n` frames, spread evenly."""
        if self.video is not None:
            return self.video.spread(n)
        count = min(n, len(self._files))
        return [self._picture((2 * k + 1) * len(self._files) // (2 * count)) for k in range(count)]

    def _picture(self, number: int) -> Frame:
        photo = read_image(self._files[number])
        if photo.size != self.size:
            raise ImageError(
                f"{photo.source} has {photo.size[1]} x {photo.size[0]} pixels, the first picture "
                f"of its folder {self.size[1]} x {self.size[0]}; make them equal"
            )
        return Frame(photo, number, number / RATE)


def pairs(result: Clip, reference: Clip, *, shorter: bool) -> Iterator[tuple[Frame, Frame]]:
    """Frames of the same number.

    Args:
        result: what was made.
        reference: what it should be.
        shorter: whether to stop where the shorter one ends.

    Raises:
        ParameterError: one ends before the other, and `shorter` was not asked for.
    """
    for number, (one, other) in enumerate(zip_longest(result, reference)):
        if one is not None and other is not None:
            yield one, other
            continue
        if shorter:
            return
        ended, longer = (result, reference) if one is None else (reference, result)
        raise ParameterError(
            f"{ended.path} ends after {counted(number)}, {longer.path} goes on; give --shorter to "
            "compare as many frames as both have"
        )


def counted(frames: int) -> str:
    """A number of frames, in words."""
    return f"{frames} frame{'' if frames == 1 else 's'}"


def scaled(pixels: Float[Tensor, "H W 3"], size: tuple[int, int]) -> Float[Tensor, "h w 3"]:
    """A picture at another size; averaged where it shrinks.

    Args:
        pixels: RGB.
        size: height and width.
    """
    if pixels.shape[:2] == size:
        return pixels
    rows, columns = (
        grid_weights(0.0, old / new, new, old).within()
        for new, old in zip(size, pixels.shape[:2], strict=True)
    )
    return resample(pixels, rows, columns).clamp(0, 1)


def _pictures(folder: Path) -> list[str | Path]:
    """The pictures of a folder; 2 comes before 10."""
    files = [file for file in folder.iterdir() if file.suffix.lower() in _PICTURES]
    if not files:
        raise ImageError(f"{folder} holds no pictures; name a folder of frames, or a video")
    return [*sorted(files, key=_order)]


def _order(file: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", file.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
