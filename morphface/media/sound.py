"""Sound out of any file, as numbers: one channel, one rate, whole or block by block.

What FFmpeg reads is read: sound files of any rate, depth and number of channels, and the sound of
videos. The first sample is at time 0, as the first picture is in a video that is made for it.
"""

import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import torch
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError, VideoError
from morphface.core.files import atomic_write
from morphface.media.paths import check_file, unreadable

__all__ = ["decoded_sound", "read_sound", "sound_blocks", "write_sound"]

_RATES = (1_000, 384_000)


def read_sound(path: str | Path, rate: int = 16_000) -> Float[Tensor, " N"]:
    """All samples of the first sound of a file, the mean of its channels, in [-1, 1].

    Args:
        path: of a sound file, or of a video with sound.
        rate: samples a second that are wanted; the file's own are resampled.

    Raises:
        MissingFileError: there is no such file.
        VideoError: it has no sound, or none that can be decoded.
        ParameterError: the rate is out of range.
    """
    return torch.cat(list(sound_blocks(path, rate)))


def sound_blocks(
    path: str | Path, rate: int = 16_000, seconds: float = 30.0
) -> Iterator[Float[Tensor, " N"]]:
    """The same in consecutive blocks, so that hours of sound need no memory.

    What cannot be decoded after the first sample is left out.

    Args:
        path: as in `read_sound`.
        rate: likewise.
        seconds: length of a block; the last one is shorter.

    Raises:
        MissingFileError: as in `read_sound`.
        VideoError: likewise.
        ParameterError: likewise.
    """
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ParameterError(f"rate must be from {_RATES[0]} to {_RATES[1]} a second, got {rate}")
    size = max(1, round(seconds * rate))
    held: list[np.ndarray] = []
    count, some = 0, False
    with _opened(Path(path)) as container:
        for piece in _pieces(container.streams.audio[0], container, rate):
            held.append(piece)
            count += len(piece)
            while count >= size:
                whole = np.concatenate(held)
                yield torch.from_numpy(whole[:size].copy())
                some, held, count = True, [whole[size:]], count - size
    if count or not some:
        if not count:
            raise VideoError(f"the sound of {path} holds nothing that can be decoded")
        yield torch.from_numpy(np.concatenate(held))


def write_sound(path: str | Path, samples: Float[Tensor, " N"], rate: int = 16_000) -> None:
    """Write one channel of sound as a WAV file of 16 bits.

    Args:
        path: the file to write or replace.
        samples: in [-1, 1].
        rate: samples a second.

    Raises:
        OutputError: the file cannot be written there.
    """
    pcm = (samples.detach().clamp(-1.0, 1.0) * 32767.0).round().numpy().astype("<i2")
    with atomic_write(Path(path)) as place, wave.open(str(place), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.tobytes())


def _opened(path: Path) -> InputContainer:
    if check_file(path, "sound file", VideoError) == 0:
        raise VideoError(f"{path} is empty; get an intact copy")
    try:
        container = av.open(f"file:{path}", metadata_errors="replace")
    except av.error.FFmpegError as error:
        if isinstance(error, OSError) and not isinstance(error, EOFError):
            raise VideoError(unreadable(path, error)) from error
        raise VideoError(f"{path} is no sound of a known kind, or damaged") from error
    if not container.streams.audio:
        container.close()
        raise VideoError(f"{path} has no sound; name a file that has")
    return container


def _pieces(stream: AudioStream, container: InputContainer, rate: int) -> Iterator[np.ndarray]:
    """What decodes, resampled, as it comes."""
    resampler, begun = AudioResampler(format="fltp", rate=rate), False
    for frame in decoded_sound(container, stream):
        begun = True
        frame.pts = None  # gaps in the clock of a damaged file are none in the sound
        for out in resampler.resample(frame):
            yield _mixed(out)
    if begun:
        for out in resampler.resample(None):
            yield _mixed(out)


def decoded_sound(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """The frames of a sound, as far as they decode.

    Args:
        container: opened.
        stream: a sound in it.
    """
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):  # what is left of a damaged file
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


def _mixed(frame: AudioFrame) -> np.ndarray:
    """The mean of the channels."""
    values = np.nan_to_num(frame.to_ndarray())
    return values.mean(axis=0, dtype=np.float32).clip(-1.0, 1.0)
