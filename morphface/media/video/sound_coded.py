"""Sound of one file coded anew for another, where its packets cannot be moved as they are."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container.output import OutputContainer

from morphface.media.sound import decoded_sound
from morphface.media.video.source import open_container

if TYPE_CHECKING:
    from av.packet import Packet

    SoundPacket = Packet[AudioStream]
else:
    SoundPacket = Any  # generic for the type checker only

__all__ = ["SoundCoded"]

_RATE = 48_000
"""Samples a second of what is written: the only rate that every player and both coders take."""
_CODECS = {"webm": "libopus"}
_USUAL = "aac"


class SoundCoded:
    """The first sound of a file on its way into another, decoded and coded again.

    Args:
        path: of the file that has the sound.
        origin: when the new film begins, in seconds of the file's clock.
        target: the file that is written.
        form: name of its format.
    """

    def __init__(self, path: Path, origin: float, target: OutputContainer, form: str) -> None:
        self._container = open_container(path)
        self._source, self._origin = self._container.streams.audio[0], origin
        stream = cast(AudioStream, target.add_stream(_CODECS.get(form, _USUAL), rate=_RATE))
        layout = "mono" if self._source.codec_context.layout.nb_channels == 1 else "stereo"
        self._coder = stream.codec_context
        self._coder.layout = layout
        self._coder.open()
        size = self._coder.frame_size or None
        self._resampler = AudioResampler(self._coder.format.name, layout, _RATE, size)
        self._stream, self._waiting = stream, deque[AudioFrame]()
        self._frames: Iterator[AudioFrame] | None = None
        self._count = 0

    def close(self) -> None:
        """Close the file that has the sound."""
        self._container.close()

    def until(self, time: float, begin: float) -> Iterator[SoundPacket]:
        """The packets of what is heard before `time` and was not given yet.

        Args:
            time: in seconds after `origin`.
            begin: the same, of the moment that becomes the start of the new file.
        """
        if self._frames is None:
            self._frames = self._read(begin)
        while (frame := self._next()) is not None:
            if (frame.pts or 0) >= (time - begin) * _RATE:
                self._waiting.append(frame)
                return
            yield from self._coded(frame)

    def rest(self) -> Iterator[SoundPacket]:
        """What the coder still holds when all was given."""
        return self._coded(None)

    def _next(self) -> AudioFrame | None:
        if self._waiting or self._frames is None:
            return self._waiting.popleft() if self._waiting else None
        return next(self._frames, None)

    def _coded(self, frame: AudioFrame | None) -> Iterator[SoundPacket]:
        for packet in self._stream.encode(frame):
            yield cast(SoundPacket, packet)

    def _read(self, begin: float) -> Iterator[AudioFrame]:
        """Frames as the coder wants them, numbered from the start of the new file."""
        start: int | None = None
        for frame in decoded_sound(self._container, self._source):
            if start is None:
                heard = frame.time or 0.0
                start = round((heard - self._origin - begin) * _RATE)
            frame.pts = None  # gaps in the clock of a damaged file are none in the sound
            yield from self._placed(self._resampler.resample(frame), start)
        if start is not None:
            yield from self._placed(self._resampler.resample(None), start)

    def _placed(self, frames: list[AudioFrame], start: int) -> Iterator[AudioFrame]:
        for frame in frames:
            frame.pts, frame.time_base = start + self._count, Fraction(1, _RATE)
            self._count += frame.samples
            if frame.pts + frame.samples > 0:
                yield frame
