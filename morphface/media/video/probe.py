"""What is known of a video before it is read: size, rate, length, sound."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from morphface.core.errors import VideoError
from morphface.media.images import MAX_PIXELS, MIN_SIDE
from morphface.media.video.picture import Picture
from morphface.media.video.source import Source
from morphface.media.video.timeline import Timeline

__all__ = ["Probe", "probe"]

_RATES = (0.01, 1000.0)
_USUAL_RATE = 25.0
_FAST = 121.0
"""Frames in a second that are believed untried; more may be the ticks of a clock."""
_COUNTING = "mp4"
"""Files of this kind count their frames; others state what a recorder meant to do."""
_LOOKED_AT = 1000
_NEAR = 0.01
_TAIL = 0.5
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Probe:
    """What a file says of its pictures, and what its first picture shows.

    Args:
        size: height and width of the upright picture.
        aspect: width by height of a stored pixel.
        rate: frames in a second, on average.
        step: seconds in a unit of time of the stream.
        origin: when the first picture is shown, in those units.
        duration: seconds from the first picture to the end, None where the file does not tell.
        slack: seconds by which the pictures may end earlier than `duration`.
        frames: how many the file says to hold, 0 where it does not tell.
        has_sound: whether there is sound.
    """

    size: tuple[int, int]
    aspect: Fraction | None
    rate: float
    step: Fraction
    origin: int
    duration: float | None
    slack: float
    frames: int
    has_sound: bool

    def seconds(self, stamp: int) -> float:
        """The time after the first picture of a time of the stream."""
        return float((stamp - self.origin) * self.step)

    def stamp(self, seconds: float) -> float:
        """The inverse of `seconds`."""
        return seconds / float(self.step) + self.origin


def probe(path: Path) -> Probe:
    """Open the video at `path` and look at its first picture.

    Raises:
        MissingFileError: there is no such file.
        VideoError: it is not a video, holds no pictures, or they are too large or too small.
    """
    with Source(path) as source:
        stream = source.stream
        _check_size(path, stream.width, stream.height)
        first = next(source.frames(), None)
        if first is None:
            raise VideoError(_nothing_in(path, source.damaged))
        step = stream.time_base or Fraction(1, 1000)
        origin = first.pts or 0
        duration, slack = _duration(source, origin * step)
        return Probe(
            size=_size(path, first, stream.sample_aspect_ratio),
            aspect=stream.sample_aspect_ratio,
            rate=_rate(path, source),
            step=step,
            origin=origin,
            duration=duration,
            slack=slack,
            frames=stream.frames,
            has_sound=bool(source.container.streams.audio),
        )


def _nothing_in(path: Path, damaged: bool) -> str:
    if damaged:
        return f"{path} is damaged, not one frame of it can be decoded; get an intact copy"
    return f"{path} holds no frames; name a video with pictures"


def _size(path: Path, first: VideoFrame, aspect: Fraction | None) -> tuple[int, int]:
    height, width = size = Picture(first, aspect).size
    _check_size(path, width, height)
    return size


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise VideoError(
            f"{path} has frames of {width} x {height} pixels, more than "
            f"{MAX_PIXELS // 1_000_000} million; save a smaller copy"
        )
    if 0 < min(width, height) < MIN_SIDE:
        raise VideoError(
            f"{path} is {width} x {height} pixels, but a face needs at least "
            f"{MIN_SIDE} x {MIN_SIDE}; use a larger video"
        )


def _rate(path: Path, source: Source) -> float:
    """Frames in a second, as stated where that is a count, else as the first frames come."""
    stream = source.stream
    stated = stream.average_rate
    if stated and _RATES[0] <= stated <= _FAST and _COUNTING in source.container.format.name:
        return float(stated)
    with Source(path) as again:
        timeline = Timeline.read(again, _LOOKED_AT)
    shown = () if timeline is None else timeline.shown
    seconds = float((shown[-1] - shown[0]) * (stream.time_base or 0)) if shown else 0.0
    measured = (len(shown) - 1) / seconds if seconds > 0 else 0.0
    if _RATES[0] <= measured <= _RATES[1]:
        near = stated and abs(float(stated) / measured - 1) < _NEAR
        return float(stated) if stated and near else measured
    rates = (stated, stream.guessed_rate, stream.base_rate)
    return float(next((rate for rate in rates if rate and _RATES[0] <= rate <= _FAST), _USUAL_RATE))


def _duration(source: Source, origin: Fraction) -> tuple[float | None, float]:
    """Seconds from the first picture to the end of the pictures, and how unsure that is.

    Some files tell only when all ends, sound and pictures, which rarely end together.
    """
    stream, container = source.stream, source.container
    if stream.duration and stream.time_base:
        begin = stream.start_time if stream.start_time is not None else 0
        return float((begin + stream.duration) * stream.time_base - origin), 0.0
    written = _seconds_of(stream.metadata.get("DURATION", ""))
    if written is not None:
        return written - float(origin), 0.0
    if container.duration:
        begin = container.start_time or 0
        return (begin + container.duration) / _MICROSECONDS - float(origin), _TAIL
    return None, 0.0


def _seconds_of(text: str) -> float | None:
    """The length that Matroska writes, as 00:01:02.5."""
    try:
        hours, minutes, seconds = (float(part) for part in text.split(":"))
    except ValueError:
        return None
    return 3600 * hours + 60 * minutes + seconds
