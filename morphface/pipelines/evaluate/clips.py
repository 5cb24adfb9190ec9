"""Pictures to compare: a video, a folder of pictures, or one picture; never all in memory."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ImageError, ParameterError
from morphface.media.resample import grid_weights, resample
from morphface.media.video import Frame, Video, read_video
from morphface.media.video.sequence import PictureSequence, pictures_at
from morphface.pipelines.actors import is_video

__all__ = ["Clip", "counted", "pairs", "scaled"]


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
        files: Sequence[str | Path] | None = [path]
        if Path(path).is_dir():
            files = pictures_at(Path(path))
        if files is None:
            raise ImageError(f"{path} holds no pictures; name a folder of frames, or a video")
        shown = is_video(path) and not Path(path).is_dir()
        self._video = read_video(path) if shown else PictureSequence.of(Path(path), files)
        self.size = self._video.size

    @property
    def video(self) -> Video | None:
        """The video; None where there are pictures."""
        return None if isinstance(self._video, PictureSequence) else self._video

    @property
    def frames(self) -> int | None:
        """How many there are; of a video about, and None where it does not tell."""
        return self._video.frames

    @property
    def alone(self) -> bool:
        """Whether it is one picture."""
        return self.video is None and self.frames == 1

    def __iter__(self) -> Iterator[Frame]:
        """The frames, read as they are asked for."""
        with self._video as video:
            yield from video

    def spread(self, n: int) -> list[Frame]:
        """Up to `n` frames, spread evenly."""
        return self._video.spread(n)


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
