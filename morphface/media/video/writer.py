"""Writing a video: frames in, with their times, and the sound of another file beside them.

The file takes its place only when it is whole, as with all results.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.container.output import OutputContainer
from av.video.reformatter import VideoReformatter
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import OutputError, ParameterError, ShapeError
from morphface.core.files import atomic_write
from morphface.media.images import Photo
from morphface.media.video.encoding import add_comment, encoding_for
from morphface.media.video.probe import probe
from morphface.media.video.reader import Video
from morphface.media.video.sound import SoundCopy, shows_pictures

__all__ = ["VideoWriter"]

_CLOSED = "a VideoWriter takes frames inside its `with` block only"


class VideoWriter:
    """A video file that is written frame by frame, to be used in a `with` statement.

    The suffix of `path` chooses the format: H.264 (yuv420p, BT.709) in .mp4, .m4v, .mov or .mkv,
    VP9 in .webm, or .gif. These codings, GIF aside, need even sizes: odd ones are padded by
    repeating the last row or column. With `lossless` nothing is padded or changed.

    Args:
        path: where to; an existing file is replaced only by a whole one.
        size: height and width of the frames.
        rate: frames in a second, for frames that are written without a time.
        sound_from: a file, or a video that was read, whose sound is copied; it may hold sound
            alone. It is cut to the time of the frames, whose times then are those of that file.
        lossless: keep every bit of the frames; the file becomes large.
        tags: metadata of the file by name. "comment" is kept by all formats, "title" by all but
            GIF, and "encoding_tool" (the program) by .mp4 and .m4v.

    Raises:
        OutputError: the suffix is unknown, or the file cannot be written.
        ParameterError: the rate is not a positive number.
    """

    def __init__(
        self,
        path: str | Path,
        size: tuple[int, int],
        rate: float,
        *,
        sound_from: "Video | str | Path | None" = None,
        lossless: bool = False,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        if not (math.isfinite(rate) and rate > 0):
            raise ParameterError(f"rate must be a positive number of frames a second, got {rate:g}")
        self.path, self.size, self.rate = Path(path), size, rate
        self.sound_missing = ""
        """Why there is no sound although it was asked for; empty where there is."""
        self._encoding = encoding_for(self.path, lossless)
        self._sound_from, self._tags = sound_from, dict(tags or {})
        self._open: ExitStack | None = None
        self._sound: SoundCopy | None = None
        self._reformatter = VideoReformatter()
        self._begin: float | None = None
        self._last = -math.inf

    def __enter__(self) -> "VideoWriter":
        with ExitStack() as stack:
            self._file = stack.enter_context(atomic_write(self.path))
            stack.enter_context(_refusals(self.path))
            container = av.open(f"file:{self._file}", "w", format=self._encoding.form)
            self._container: OutputContainer = container
            stack.callback(container.close)
            container.metadata.update(self._tags)
            rate = Fraction(self.rate).limit_denominator(1001)
            self._stream = self._encoding.add_stream(container, self.size, rate)
            self._add_sound(stack)
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        stack, self._open = self._open, None
        if stack is None:
            return
        with stack:
            if error is not None:
                raise error
            self._finish()

    def write(self, pixels: Tensor, time: float | None = None) -> None:
        """Add a frame.

        Args:
            pixels: H x W x 3 of the writer's size, uint8, or float in [0, 1].
            time: when it is shown, in seconds; the first one written is the beginning of the
                file. None: one frame's time after the last.

        Raises:
            ShapeError: the size is another.
            ParameterError: the time is not later than that of the last frame.
            OutputError: the file cannot be written, such as on a full disk.
        """
        check_shape("pixels", pixels, *self.size, 3)
        if pixels.ndim != 3:
            raise ShapeError(f"pixels must be one frame, got shape {tuple(pixels.shape)}")
        if self._open is None:
            raise OutputError(_CLOSED)
        time = self._next_time() if time is None else time
        if not time > self._last:
            raise ParameterError(f"time must rise: {time:g} s does not follow {self._last:g} s")
        self._begin = time if self._begin is None else self._begin
        self._last = time
        step = self._encoding.step
        frame = self._encoding.frame(Photo(pixels.detach().cpu()).to_uint8(), self._reformatter)
        frame.pts = round((time - self._begin) / step)
        frame.time_base = step
        frame.duration = round(1 / (self.rate * step))
        with _refusals(self.path):
            self._container.mux(self._stream.encode(frame))
            self._copy_sound(time)

    def _next_time(self) -> float:
        return 0.0 if self._begin is None else self._last + 1 / self.rate

    def _add_sound(self, stack: ExitStack) -> None:
        source = self._sound_from
        if source is None:
            return
        if not self._encoding.holds_sound:
            self.sound_missing = f"{self.path.suffix} files have no sound"
            return
        path = source.path if isinstance(source, Video) else Path(source)
        begins = _begins(source)
        self._sound = SoundCopy(path, begins, self._container, self._encoding.form)
        stack.callback(self._sound.close)
        self.sound_missing = self._sound.missing

    def _copy_sound(self, until: float) -> None:
        if self._sound is not None and self._begin is not None:
            for packet in self._sound.until(until, self._begin):
                self._container.mux(packet)

    def _finish(self) -> None:
        if self._begin is None:
            raise OutputError(f"no frame was written to {self.path}, so there is no video")
        self._container.mux(self._stream.encode(None))
        self._copy_sound(self._last + 1 / self.rate)
        self._container.close()
        if self._encoding.form == "gif" and "comment" in self._tags:
            add_comment(self._file, self._tags["comment"])


def _begins(source: "Video | str | Path") -> float:
    """When a file's first picture is shown, by its own clock; 0 if it holds sound alone."""
    if not isinstance(source, Video) and not shows_pictures(Path(source)):
        return 0.0
    known = source.known if isinstance(source, Video) else probe(Path(source))
    return float(known.origin * known.step)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """What FFmpeg says of writing; a full disk is an `OSError` and explained further out."""
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise OutputError(f"cannot encode {path}: {error.strerror}; try another suffix") from error
