"""Sound in, speech out: phonemes with times and the voice that says them.

A recording of hours is heard piece by piece, cut where it is quietest.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite
from morphface.core.errors import ParameterError, ShapeError
from morphface.speech.phonemes import RATE, Phoneme, Recogniser, merged, shifted
from morphface.speech.voice import STEP, Voice, loudness_of, pitch_of

__all__ = ["Speech", "listen"]

_SHORTEST = 0.1
"""Seconds of sound in which something may be said."""
_QUIET = 10
"""Steps of a pause in which a recording is cut."""


@dataclass(frozen=True, eq=False)
class Speech:
    """What is said, and how.

    Args:
        phonemes: in order, without overlaps; between them are pauses.
        voice: loudness, pitch and activity.
        seconds: length of the sound.
    """

    phonemes: tuple[Phoneme, ...]
    voice: Voice
    seconds: float


def listen(
    sound: Float[Tensor, " N"] | Iterable[Float[Tensor, " N"]],
    heard: Recogniser | Sequence[Phoneme],
    *,
    text: str | None = None,
    progress: Callable[[float], object] | None = None,
) -> Speech:
    """The speech of a sound.

    Phonemes where no voice is heard are left out, so that silence closes the mouth.

    Args:
        sound: samples at `RATE`, whole or in blocks.
        heard: the recogniser that hears phonemes; or phonemes that are known, which all count.
        text: what is said, if that is known and the recogniser takes it.
        progress: is told the seconds that were heard so far.

    Raises:
        ShapeError: samples are not one row.
        ParameterError: they are not finite, nothing is heard, or the text does not fit.
        MissingDependencyError: the recogniser is not installed.
    """
    longest = _longest(heard, text)
    found: list[Phoneme] = []
    loudness, pitch, begin = [], [], 0
    for samples in _pieces(sound, round(longest * RATE)):
        if text is not None and begin:
            raise ParameterError(_TOO_LONG)
        loudness.append(loudness_of(samples))
        pitch.append(pitch_of(samples))
        if not isinstance(heard, Sequence) and _may_speak(samples):
            found += shifted(heard(samples, text), begin / RATE)
        begin += len(samples)
        if progress is not None:
            progress(begin / RATE)
    if not loudness:
        raise ParameterError("sound must have samples, got none")
    voice = Voice.of(torch.cat(loudness), torch.cat(pitch))
    phonemes = merged(heard) if isinstance(heard, Sequence) else _voiced(found, voice)
    if not phonemes:
        raise ParameterError(_NOTHING)
    return Speech(phonemes, voice, begin / RATE)


def _longest(heard: Recogniser | Sequence[Phoneme], text: str | None) -> float:
    """Seconds of sound in one go."""
    if isinstance(heard, Sequence):
        return _BLOCK
    if text is None:
        return heard.longest
    if not heard.texts:
        raise ParameterError(f"{heard.name} takes no text; use pocketsphinx, or leave it out")
    return _LONGEST_TEXT


def _may_speak(samples: Float[Tensor, " N"]) -> bool:
    return len(samples) >= _SHORTEST * RATE and bool(samples.any())


_NOTHING = "no speech is heard in the sound; name one in which somebody speaks"
_BLOCK = 30.0
_LONGEST_TEXT = 300.0
"""Seconds of sound that a text is put to: its memory grows with the square."""
_TOO_LONG = (
    f"a text can be put to at most {_LONGEST_TEXT / 60:g} minutes of sound; cut the sound, or "
    "leave the text out"
)


def _voiced(phonemes: Iterable[Phoneme], voice: Voice) -> tuple[Phoneme, ...]:
    """The phonemes in which a voice is heard at all."""
    spoken = []
    for one in merged(phonemes):
        first = min(int(one.start / STEP), len(voice.speaks) - 1)
        if bool(voice.speaks[first : max(first + 1, round(one.end / STEP))].any()):
            spoken.append(one)
    return tuple(spoken)


def _pieces(
    sound: Float[Tensor, " N"] | Iterable[Float[Tensor, " N"]], longest: int
) -> Iterator[Float[Tensor, " N"]]:
    """The sound in pieces of at most so many samples and whole steps, cut in pauses."""
    held = torch.zeros(0)
    for block in [sound] if isinstance(sound, Tensor) else sound:
        if block.ndim != 1:
            raise ShapeError(f"sound must be one row of samples, got shape {tuple(block.shape)}")
        check_finite("sound", block)
        held = torch.cat([held, block.float()])
        while len(held) > longest:
            cut = _pause(held[:longest])
            yield held[:cut]
            held = held[cut:]
    if len(held):
        yield held


def _pause(samples: Float[Tensor, " N"]) -> int:
    """Where a piece is best cut: the middle of its quietest moment, in its second half."""
    loudness = loudness_of(samples)
    half = len(loudness) // 2
    smooth = torch.nn.functional.avg_pool1d(loudness[None, half:], _QUIET, 1)[0]
    return (half + int(smooth.argmin()) + _QUIET // 2) * round(STEP * RATE)
