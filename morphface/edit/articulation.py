"""From sounds with times to targets: each letter of a phoneme with its share of the time."""

from collections.abc import Iterable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from morphface.edit.visemes import Viseme, viseme_of
from morphface.speech import Phoneme, Voice, ipa_letters

__all__ = ["Gesture", "gestures"]

PAUSE = 0.15
"""Seconds without a sound after which a mouth goes to rest: shorter gaps are part of stops."""
REST = Viseme(0.0, {}, 0.8, 0.5, contact="rest")
_BEYOND = 1.0
"""Seconds by which a rest goes on beyond the ends of the sound: nobody opens there."""
_STEP = 0.01
"""Seconds of a step of `Voice`."""
_LOUDER = 40.0
"""Decibels that make an opening ten times as large; 6 dB, a doubled pressure, add two fifths
(Schulman 1989 found loud vowels with jaws a half lower at some 10 dB more)."""
_LOUD = (0.7, 1.35)
"""Least and most that loudness makes of an opening."""


@dataclass(frozen=True)
class Gesture:
    """What a mouth aims at in a stretch of time.

    Args:
        viseme: the shape.
        start: in seconds.
        end: likewise.
        gain: by how much loudness opens it more.
    """

    viseme: Viseme
    start: float
    end: float
    gain: float = 1.0


def gestures(phonemes: Iterable[Phoneme], voice: Voice, seconds: float) -> list[Gesture]:
    """The shapes of a speech in the order of time, with rests in its pauses.

    Args:
        phonemes: in order, without overlaps.
        voice: that says them.
        seconds: length of the whole.
    """
    out: list[Gesture] = []
    usual = _usual_loudness(voice)
    now = -_BEYOND
    for one in phonemes:
        if one.start - now > PAUSE:
            out.append(Gesture(REST, now, one.start))
        out += _letters(one, voice, usual)
        now = one.end
    if seconds > now:
        out.append(Gesture(REST, now, max(seconds, now) + _BEYOND))
    return out


def _letters(one: Phoneme, voice: Voice, usual: float) -> list[Gesture]:
    shapes = [shape for letter in ipa_letters(one.symbol) if (shape := viseme_of(letter))]
    step = (one.end - one.start) / max(1, len(shapes))
    starts = [one.start + k * step for k in range(len(shapes))]
    return [
        Gesture(shape, start, start + step, _gain(voice, start, start + step, usual))
        for shape, start in zip(shapes, starts, strict=True)
    ]


def _gain(voice: Voice, start: float, end: float, usual: float) -> float:
    piece = voice.loudness[int(start / _STEP) : max(int(start / _STEP) + 1, round(end / _STEP))]
    if not len(piece):
        return 1.0
    change = 10.0 ** ((float(piece.max()) - usual) / _LOUDER)
    return min(max(change, _LOUD[0]), _LOUD[1])


def _usual_loudness(voice: Voice) -> float:
    """The median of where a pitch is heard: of vowels, mostly."""
    sounding: Float[Tensor, " n"] = voice.loudness[(voice.pitch > 0) & voice.speaks]
    spoken = sounding if len(sounding) else voice.loudness
    return float(spoken.median())
