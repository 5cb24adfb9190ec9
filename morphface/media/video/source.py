"""Opening a video and decoding it, whatever state it is in.

What decodes is given; what does not is counted. FFmpeg's own words are turned into one sentence.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
from av.codec.context import CodecContext
from av.container.input import InputContainer
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from morphface.core.errors import VideoError
from morphface.media.paths import check_file, unreadable
from morphface.media.video.fields import unwoven

if TYPE_CHECKING:
    from av.packet import Packet

    PicturePacket = Packet[VideoStream]
else:
    PicturePacket = Any  # generic for the type checker only

__all__ = ["Source", "open_container"]

_THREADS = min(2, os.cpu_count() or 1)
_PICTURES = ("image2", "ico")
_PHOTOS = ("heic", "heix", "heim", "heis", "mif1", "avif")
_TEXTS = ("tty", "bin", "xbin", "adf", "idf")
_STILLS = ("mjpeg", "png", "bmp", "webp", "gif")
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""FFmpeg's own decoders of these leave the alpha channel out."""


class Source:
    """A video file, opened for decoding.

    Args:
        path: of the file.

    Raises:
        MissingFileError: there is no such file.
        VideoError: it is not a video, or too damaged to be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.container = open_container(path)
        try:
            self.stream = _pictures(self.container, path)
            self._order = int(self.stream.codec_context.field_order)
            self._decoder = _decoder(self.stream)
        except VideoError:
            self.container.close()
            raise
        self.damaged = False
        """Whether something did not decode so far."""
        self.count = 0
        """How many packets were read so far."""

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self.container.close()

    def packets(self) -> Iterator[PicturePacket]:
        """The packets of the pictures, in the order of the file."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.EOFError):
                return
            except av.error.FFmpegError:
                self.damaged = True
                return
            self.count += packet.size > 0
            yield packet

    def frames(self) -> Iterator[VideoFrame]:
        """The frames from where the file stands, in the order of their times, not interlaced."""
        return unwoven(self._decoded_all(), self._order)

    def _decoded_all(self) -> Iterator[VideoFrame]:
        for packet in self.packets():
            self.damaged |= packet.is_corrupt
            yield from self._decoded(packet)

    def seek(self, timestamp: int) -> None:
        """Go to the last key frame not after `timestamp`, in units of the stream's time base."""
        self.container.seek(timestamp, stream=self.stream, backward=True)
        self._decoder.flush_buffers()

    def _decoded(self, packet: PicturePacket) -> list[VideoFrame]:
        try:
            frames = self._decoder.decode(packet if packet.size else None)
        except av.error.EOFError:
            return []
        except (av.error.FFmpegError, ValueError):
            self.damaged = True
            return []
        whole = [frame for frame in frames if not frame.is_corrupt]
        self.damaged |= len(whole) < len(frames)
        return whole


def open_container(path: Path) -> InputContainer:
    """The file at `path`, opened by FFmpeg.

    Raises:
        MissingFileError: there is no such file.
        VideoError: FFmpeg cannot read it.
    """
    if check_file(path, "video", VideoError) == 0:
        raise VideoError(f"{path} is empty; get an intact copy")
    try:
        return av.open(f"file:{path}", metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise VideoError(_refusal(path, error)) from error


def _refusal(path: Path, error: av.error.FFmpegError) -> str:
    if isinstance(error, EOFError):
        return f"{path} ends before its first frame; get an intact copy"
    if isinstance(error, OSError):
        return unreadable(path, error)
    return f"{path} is not a video of a known kind, or it is damaged; get an intact copy"


def _pictures(container: InputContainer, path: Path) -> VideoStream:
    """The stream that players show: not the cover of a song, and not a single picture."""
    kind = container.format.name
    brand = container.metadata.get("major_brand", "")
    if kind in _PICTURES or kind.endswith("_pipe") or brand in _PHOTOS:
        raise VideoError(f"{path} is a picture, not a video; pictures are for `morphface fit`")
    if kind in _TEXTS:
        raise VideoError(f"{path} is not a video of a known kind; convert it to MP4")
    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    has_sound = "sound but " if container.streams.audio else ""
    if not moving:
        raise VideoError(f"{path} holds {has_sound}no pictures; name a video")
    best = container.streams.best("video")
    stream = next(
        (one for one in moving if best is not None and one.index == best.index), moving[0]
    )
    if stream.codec_context is None:
        raise VideoError(f"{path} has pictures in a coding that FFmpeg does not know here")
    if has_sound and stream.codec_context.name in _STILLS and _is_single(path, stream.index):
        raise VideoError(f"{path} holds {has_sound}only a still picture; name a video")
    return stream


def _is_single(path: Path, index: int) -> bool:
    """Whether a stream has no second picture."""
    with open_container(path) as container:
        packets = container.demux(container.streams[index])
        try:
            return sum(1 for _, packet in zip(range(3), packets, strict=False) if packet.size) < 2
        except av.error.FFmpegError:
            return True


def _decoder(stream: VideoStream) -> VideoCodecContext:
    decoder = stream.codec_context
    wanted = _ALPHA_DECODERS.get(decoder.name, "")
    if stream.metadata.get("alpha_mode") == "1" and wanted in av.codecs_available:
        decoder = cast(VideoCodecContext, CodecContext.create(wanted, "r"))
    decoder.thread_type = "AUTO"
    decoder.thread_count = _THREADS
    return decoder
