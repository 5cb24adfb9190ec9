"""What is at a path becomes a video to iterate: a file, or pictures that make a clip."""

import math
from pathlib import Path

from morphface.core.errors import ParameterError
from morphface.media.video.probe import probe
from morphface.media.video.reader import Video, check_wishes
from morphface.media.video.sequence import PictureSequence, pictures_at

__all__ = ["read_video"]


def read_video(
    path: str | Path,
    start: float | None = None,
    end: float | None = None,
    every: int = 1,
    *,
    rate: float | None = None,
) -> Video:
    """The video at `path`, to be used in a `with` statement and iterated.

    Args:
        path: of a video file, of whatever kind FFmpeg reads; of a folder of pictures, which count
            in the order of their names; or a pattern of these, as `frames/%05d.png`.
        start: where to begin, in seconds after the first picture; None: there.
        end: where to end: frames from this time on are left out; None: at the end.
        every: give one frame of so many, beginning with the first.
        rate: frames in a second of pictures, 25 if it is not given; a video has its own times.

    Raises:
        MissingFileError: there is no such file.
        VideoError: it is not a video, holds no pictures, or they are too large or too small.
        ImageError: it is a pattern that nothing fits, or the first picture cannot be read.
        ParameterError: `start`, `end`, `every` or `rate` make no sense for it.
    """
    check_wishes(start or 0.0, end, every)
    span = (start or 0.0, math.inf if end is None else end)
    files = pictures_at(Path(path))
    if files is not None and len(files) > 1:
        video: Video = PictureSequence.of(Path(path), files, rate, span=span, every=every)
    elif rate is not None:
        raise ParameterError(f"rate is for pictures, but {path} is a video with times of its own")
    else:
        video = Video(Path(path), probe(Path(path)), span, every)
    if video.duration is not None and span[0] >= video.duration:
        raise ParameterError(
            f"start is {span[0]:g} s, but {path} is only {video.duration:.2f} s long"
        )
    return video
