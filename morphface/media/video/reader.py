"""Reading a video: an iterator of frames that never holds more than a few of them."""

import math
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from av.video.frame import VideoFrame

from morphface.core.errors import ParameterError, VideoError
from morphface.media.images import Photo
from morphface.media.video.picture import Picture
from morphface.media.video.probe import Probe
from morphface.media.video.source import Source
from morphface.media.video.timeline import Timeline

__all__ = ["Frame", "Video", "as_it_is", "check_wishes", "evenly"]

_Raw = tuple[VideoFrame, int, float]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video.

    Args:
        photo: the picture, upright.
        index: its number in the file, from 0.
        time: when it is shown, in seconds after the first picture of the file.
    """

    photo: Photo
    index: int
    time: float


class Video:
    """A video to iterate; each iteration begins anew. Made by `read_video`.

    Args:
        path: of the file.
        known: what the file says.
        span: from when to when frames are given, in seconds.
        every: one frame of so many is given.
    """

    def __init__(self, path: Path, known: Probe, span: tuple[float, float], every: int) -> None:
        self.path, self.known, self.span, self.every = path, known, span, every
        self.truncated = False
        """Whether the file turned out to be cut off or damaged; known after an iteration."""
        self.developed: Callable[[Photo], Photo] = as_it_is
        """What is done to each picture, which may not change its size."""
        self._running: list[Generator[Frame, None, None]] = []

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the upright frames."""
        return self.known.size

    @property
    def rate(self) -> float:
        """Frames in a second of the file, on average."""
        return self.known.rate

    @property
    def duration(self) -> float | None:
        """Length of the file's pictures in seconds; None where it does not tell."""
        return self.known.duration

    @property
    def has_sound(self) -> bool:
        """Whether the file has sound."""
        return self.known.has_sound

    @property
    def frames(self) -> int | None:
        """About how many frames an iteration gives; None where the file does not tell."""
        if self.duration is None:
            return None
        whole = self.known.frames or round(self.duration * self.rate)
        seconds = min(self.span[1], self.duration) - self.span[0]
        return max(1, math.ceil(round(whole * seconds / self.duration, 3) / self.every))

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_: object) -> None:
        for frames in self._running:
            with suppress(ValueError):  # another thread is in it
                frames.close()
        self._running.clear()

    def __iter__(self) -> Iterator[Frame]:
        """The frames, decoded as they are asked for."""
        frames = self._iterate()
        self._running = [*self._running[-3:], frames]
        return frames

    def spread(self, n: int) -> list[Frame]:
        """Up to `n` frames spread evenly over the span, whatever `every` is.

        Decoding leaps from one key frame of the coding to another where that is shorter.

        Raises:
            ParameterError: `n` is below 1.
        """
        timeline = _timeline(self.path)
        if timeline is None:
            return self._spread_by_counting(n)
        low, high = (self.known.stamp(time) - 1e-6 for time in self.span)
        shown = timeline.shown[bisect_left(timeline.shown, low) : bisect_left(timeline.shown, high)]
        return list(self._at(timeline, evenly(shown, n)))

    def _iterate(self) -> Generator[Frame, None, None]:
        picture: Picture | None = None
        count = -1
        for raw, index, time in self._inside():
            count += 1
            if count % self.every == 0:
                picture = picture or Picture(raw, self.known.aspect)
                yield self._frame(picture, (raw, index, time))
        if count < 0:
            raise self._empty()

    def _empty(self) -> VideoError:
        return VideoError(f"{self.path} shows no frames from start to end; widen the span")

    def _inside(self) -> Iterator[_Raw]:
        """Frames of the span, with their numbers and times."""
        start, end = self.span
        for raw, index, time in self._decode(start):
            if time >= end - 1e-6:
                return
            if time >= start - 1e-6:
                yield raw, index, time

    def _decode(self, start: float) -> Iterator[_Raw]:
        """Frames to the end, from `start` or some key frame before it."""
        timeline = _timeline(self.path) if start > 0 else None
        stamp = self.known.stamp(start)
        place = None if timeline is None else timeline.seek_for(math.floor(stamp))
        if timeline is not None and place is not None:
            with Source(self.path) as source:
                source.seek(place)
                frames = source.frames()
                first = next(frames, None)
                if first is not None and first.pts is not None and first.pts <= stamp:
                    for raw in chain([first], frames):
                        index = timeline.index(raw.pts or 0)
                        yield raw, index, self.known.seconds(timeline.shown[index])
                    self._judge(source, self.known.seconds(timeline.shown[index]), raw)
                    return
        yield from self._decode_all()

    def _decode_all(self) -> Iterator[_Raw]:
        last, raw = -1 / self.rate, None
        with Source(self.path) as source:
            for index, raw in enumerate(source.frames()):
                time = None if raw.pts is None else self.known.seconds(raw.pts)
                last = time if time is not None and time > last else last + 1 / self.rate
                yield raw, index, last
            self._judge(source, last, raw)
            self.truncated |= source.count < self.known.frames

    def _judge(self, source: Source, time: float, last: VideoFrame | None) -> None:
        """At the end of the file, after the frame `last`: is that where it should end?"""
        shown = 0.0 if last is None else float((last.duration or 0) * self.known.step)
        end = time + max(shown, 1.5 / self.rate) + self.known.slack
        self.truncated = source.damaged or (self.duration is not None and end < self.duration)

    def _at(self, timeline: Timeline, stamps: list[int]) -> Iterator[Frame]:
        """The frames shown at `stamps`, ascending."""
        picture: Picture | None = None
        here = -math.inf
        with Source(self.path) as source:
            frames = source.frames()
            for stamp in stamps:
                place = timeline.seek_for(stamp)
                if place is not None and timeline.key_before(stamp) > here:
                    source.seek(place)
                    frames = source.frames()
                for raw in frames:
                    here = here if raw.pts is None else raw.pts
                    if here >= stamp:
                        picture = picture or Picture(raw, self.known.aspect)
                        found = timeline.index(int(here))
                        yield self._frame(picture, (raw, found, self.known.seconds(int(here))))
                        break

    def _spread_by_counting(self, n: int) -> list[Frame]:
        """The same where packets have no times: all is decoded, twice."""
        chosen = set(evenly([index for _, index, _ in self._inside()], n))
        found: list[Frame] = []
        picture: Picture | None = None
        for raw, index, time in self._inside():
            if index in chosen:
                picture = picture or Picture(raw, self.known.aspect)
                found.append(self._frame(picture, (raw, index, time)))
        return found

    def _frame(self, picture: Picture, raw: _Raw) -> Frame:
        photo = Photo(picture.tensor(raw[0]), source=str(self.path))
        return Frame(self.developed(photo), raw[1], raw[2])


def as_it_is(photo: Photo) -> Photo:
    """The photo.

    Args:
        photo: that nothing is done to.
    """
    return photo


def evenly(items: "tuple[int, ...] | list[int]", n: int) -> list[int]:
    """Up to `n` of `items`, each in the middle of its share.

    Args:
        items: in order.
        n: how many.

    Raises:
        ParameterError: `n` is below 1.
    """
    if n < 1:
        raise ParameterError(f"n must be at least 1, got {n}")
    count = min(n, len(items))
    return [items[(2 * k + 1) * len(items) // (2 * count)] for k in range(count)]


def _timeline(path: Path) -> Timeline | None:
    with Source(path) as source:
        return Timeline.read(source)


def check_wishes(start: float, end: float | None, every: int) -> None:
    """Refuse parts that no video has.

    Args:
        start: where to begin, in seconds.
        end: where to end; None: at the end.
        every: one frame of so many.

    Raises:
        ParameterError: they make no sense.
    """
    if every < 1:
        raise ParameterError(f"every must be at least 1, got {every}")
    if not (math.isfinite(start) and start >= 0):
        raise ParameterError(f"start must be a time in seconds from 0, got {start:g}")
    if end is not None and not end > start:
        raise ParameterError(f"end must be later than start, got start {start:g} and end {end:g}")
