"""Sound carried from one file into another: packets are moved, where the new file takes them."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.audio.stream import AudioStream
from av.container.output import OutputContainer

from morphface.media.video.sound_coded import SoundCoded
from morphface.media.video.source import open_container

if TYPE_CHECKING:
    from av.packet import Packet

    SoundPacket = Packet[AudioStream]
else:
    SoundPacket = Any  # generic for the type checker only

__all__ = ["SoundCopy", "sound_into"]

_RAW = ("pcm_", "flac")
"""Codings of these kinds are put into films by FFmpeg, but hardly a player plays that."""


def sound_into(
    target: OutputContainer, form: str, path: Path, origin: float | None
) -> "SoundCopy | SoundCoded | None":
    """The first sound of a file, on its way into another; None if it has none.

    Args:
        target: the file that is written.
        form: name of its format.
        path: of the file that has the sound.
        origin: when its first picture is shown, in seconds of the file's clock; None takes the
            moment when its sound begins.
    """
    with open_container(path) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        begin = float((stream.start_time or 0) * (stream.time_base or 0))
        whole = not stream.codec_context.name.startswith(_RAW) and _takes(form, stream)
    origin = begin if origin is None else origin
    if whole:
        return SoundCopy(path, origin, target)
    return SoundCoded(path, origin, target, form)


class SoundCopy:
    """The first sound of a file on its way into another.

    Args:
        path: of the file that has the sound.
        origin: when its first picture is shown, in seconds of the file's clock.
        target: the file that is written.
    """

    def __init__(self, path: Path, origin: float, target: OutputContainer) -> None:
        self._container = open_container(path)
        self._waiting: SoundPacket | None = None
        self._origin = origin
        source = self._container.streams.audio[0]
        self._stream = target.add_stream_from_template(source)
        self._packets = self._read(source)
        rate = source.rate or 0
        self._usual = source.codec_context.frame_size / rate if rate else 0.0  # length, in seconds

    def close(self) -> None:
        """Close the file that has the sound."""
        self._container.close()

    def until(self, time: float, begin: float) -> Iterator[SoundPacket]:
        """The packets that begin before `time` and were not given yet, ready to be written.

        Args:
            time: in seconds after the first picture of the file that has the sound.
            begin: the same, of the moment that becomes the start of the new file.
        """
        while (packet := self._next()) is not None:
            step = packet.time_base
            stamp = packet.pts or 0
            heard = float(stamp * step) - self._origin
            if heard >= time:
                self._waiting = packet
                return
            length = float((packet.duration or 0) * step) or self._usual
            if heard + 2 * length > begin:  # decoders want one before
                shift = round((begin + self._origin) / float(step))
                packet.pts = stamp - shift
                packet.dts = packet.pts if packet.dts is None else packet.dts - shift
                packet.stream = self._stream
                yield packet

    def rest(self) -> Iterator[SoundPacket]:
        """What follows when all was given: nothing."""
        return iter(())

    def _next(self) -> SoundPacket | None:
        waiting, self._waiting = self._waiting, None
        return next(self._packets, None) if waiting is None else waiting

    def _read(self, stream: AudioStream) -> Iterator[SoundPacket]:
        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError):  # what is left of a damaged file
                return
            if packet.size and packet.pts is not None:
                yield packet


def _takes(form: str, stream: AudioStream) -> bool:
    """Whether a file of format `form` can hold the sound, found by trying."""
    try:
        with av.open(io.BytesIO(), "w", format=form) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True
