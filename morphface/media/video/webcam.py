"""A webcam as a video without end: always its newest frame, so that nothing lags behind."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import av
from av.container.input import InputContainer
from av.video.frame import VideoFrame

from morphface.core.errors import VideoError
from morphface.media.images import Photo
from morphface.media.video.picture import Picture
from morphface.media.video.reader import Frame, as_it_is

__all__ = ["Webcam"]

_SYSTEMS = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}
_PATIENCE = 5.0
"""Seconds to wait for a frame before the webcam counts as unplugged."""


class Webcam:
    """Frames of a webcam, to be used in a `with` statement and iterated.

    Frames that arrive while nobody asks for one are dropped.

    Args:
        number: of the webcam, from 0.

    Raises:
        VideoError: there is no such webcam, or another program uses it.
    """

    truncated = False
    has_sound = False
    duration = None
    frames = None

    def __init__(self, number: int = 0) -> None:
        self.name = f"webcam {number}"
        self._container = _opened(number)
        first = next(self._decode(), None)
        if first is None:
            self._container.close()
            raise VideoError(f"{self.name} shows nothing; is another program using it?")
        stream = self._container.streams.video[0]
        self._picture = Picture(first, stream.sample_aspect_ratio)
        self.size: tuple[int, int] = self._picture.size
        self.rate = float(stream.average_rate or 30)
        self.developed: Callable[[Photo], Photo] = as_it_is
        self._newest: VideoFrame | None = None
        self._news = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Webcam":
        self._thread = threading.Thread(target=self._watch, name="morphface-webcam", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._news:
            self._ended, self._newest = True, None
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """The newest frame whenever one is asked for, to the last one before the webcam ends."""
        begin, index = time.monotonic(), 0
        while (raw := self._take()) is not None:
            photo = self.developed(Photo(self._picture.tensor(raw), source=self.name))
            yield Frame(photo, index, time.monotonic() - begin)
            index += 1

    def _take(self) -> VideoFrame | None:
        with self._news:
            self._news.wait_for(lambda: self._ended or self._newest is not None, _PATIENCE)
            raw, self._newest = self._newest, None
            return raw

    def _watch(self) -> None:
        for raw in self._decode():
            with self._news:
                if self._ended:
                    return
                self._newest = raw
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _decode(self) -> Iterator[VideoFrame]:
        with suppress(av.error.FFmpegError):  # it was unplugged
            yield from self._container.decode(video=0)


def _opened(number: int) -> InputContainer:
    system = next((form for name, form in _SYSTEMS.items() if sys.platform.startswith(name)), None)
    if system is None:
        raise VideoError(f"webcams are not supported on {sys.platform}; name a video file")
    try:
        return av.open(_address(system, number), format=system)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise VideoError(
            f"webcam {number} cannot be opened; plug one in, close other programs that use it, "
            "or name a video file"
        ) from error


def _address(system: str, number: int) -> str:
    if system == "v4l2":
        return f"/dev/video{number}"
    if system == "avfoundation":
        return str(number)
    cameras = [
        item for item in av.device.enumerate_input_devices(system) if "video" in item.media_types
    ]
    return f"video={cameras[number].name}"
