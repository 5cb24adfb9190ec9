"""Sound carried from one file into another as it is: packets are moved, nothing is encoded."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.audio.stream import AudioStream
from av.container.output import OutputContainer

from morphface.media.video.source import open_container

if TYPE_CHECKING:
    from av.packet import Packet

    SoundPacket = Packet[AudioStream]
else:
    SoundPacket = Any  # generic for the type checker only

__all__ = ["SoundCopy", "shows_pictures"]


class SoundCopy:
    """The first sound of a file on its way into another.

    Args:
        path: of the file that has the sound.
        origin: when its first picture is shown, in seconds of the file's clock.
        target: the file that is written.
        form: name of its format.
    """

    def __init__(self, path: Path, origin: float, target: OutputContainer, form: str) -> None:
        self.missing = ""
        """Why there is no sound; empty where there is."""
        self._container = open_container(path)
        self._packets: Iterator[SoundPacket] = iter(())
        self._waiting: SoundPacket | None = None
        self._origin = origin
        streams = self._container.streams.audio
        if not streams:
            self.missing = f"{path} has no sound"
        elif not _takes(form, streams[0]):
            coding = streams[0].codec_context.name
            self.missing = f"sound in the coding {coding} does not fit into this kind of file"
        else:
            self._stream = target.add_stream_from_template(streams[0])
            self._packets = self._read(streams[0])

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
            if heard + 2 * float((packet.duration or 0) * step) > begin:  # decoders want one before
                shift = round((begin + self._origin) / float(step))
                packet.pts = stamp - shift
                packet.dts = packet.pts if packet.dts is None else packet.dts - shift
                packet.stream = self._stream
                yield packet

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


def shows_pictures(path: Path) -> bool:
    """Whether a file holds pictures besides its sound.

    Args:
        path: of the file.

    Raises:
        VideoError: it is no file of a known kind.
    """
    container = open_container(path)
    try:
        return bool(container.streams.video)
    finally:
        container.close()


def _takes(form: str, stream: AudioStream) -> bool:
    """Whether a file of format `form` can hold the sound, found by trying."""
    try:
        with av.open(io.BytesIO(), "w", format=form) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True
