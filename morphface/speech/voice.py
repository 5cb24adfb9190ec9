"""How loud and how high a voice is, and when it speaks, every hundredth of a second."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.speech.phonemes import RATE

__all__ = ["STEP", "Voice", "loudness_of", "pitch_of", "speaking"]

STEP = 0.01
"""Seconds from one value to the next; value k belongs to the middle of its step."""
_HOP = round(STEP * RATE)
_WINDOW = 640
"""Samples in which a pitch is looked for: two periods of the lowest."""
_PITCHES = (60.0, 400.0)
_PERIODIC = 0.5
"""How much like itself one period later sound must be to have a pitch (de Cheveigné and Kawahara
2002 say 0.1 to 0.15 of difference for clean speech; half serves for noise, too)."""
_OCTAVE = 0.1
"""How much more like itself sound must be one octave lower: two periods are as alike as one. More
than Boersma's 0.01, since the window is divided out, which is rough at long lags."""
_SILENT = -60.0
"""Decibels below full scale of what is silence whatever is beside it."""
_SHARE = 0.35
"""How far up from the floor to the loud parts of a sound speech begins, in decibels."""
_FEW = 15
"""Steps that a voice may break off without a pause."""
_LEAST = 5
"""Steps that a voice must last, or it is a click."""


@dataclass(frozen=True, eq=False)
class Voice:
    """A voice, every hundredth of a second.

    Args:
        loudness: root mean square in decibels below full scale.
        pitch: in hertz, 0 where there is none.
        speaks: whether it is heard.
    """

    loudness: Float[Tensor, " N"]
    pitch: Float[Tensor, " N"]
    speaks: Bool[Tensor, " N"]

    def __post_init__(self) -> None:
        check_shape("pitch", self.pitch, len(self.loudness))
        check_shape("speaks", self.speaks, len(self.loudness))

    @classmethod
    def of(cls, loudness: Float[Tensor, " N"], pitch: Float[Tensor, " N"]) -> "Voice":
        """From what was measured in consecutive blocks.

        Args:
            loudness: as `loudness_of` says.
            pitch: as `pitch_of` says.
        """
        return cls(loudness, pitch, speaking(loudness))


def loudness_of(samples: Float[Tensor, " N"]) -> Float[Tensor, " n"]:
    """Decibels below full scale in each step, -120 of nothing.

    Args:
        samples: at `RATE`; what is left over a whole step is a step of its own.
    """
    steps = _steps(samples, _HOP)
    return 10.0 * torch.log10(steps.square().mean(dim=1) + 1e-12)


def pitch_of(samples: Float[Tensor, " N"]) -> Float[Tensor, " n"]:
    """Hertz in each step, 0 where nothing repeats itself.

    The lag of the highest normalised autocorrelation, as Boersma (1993) has it.

    Args:
        samples: at `RATE`.
    """
    count = -(-len(samples) // _HOP)
    around = torch.nn.functional.pad(samples, (_WINDOW - _HOP // 2, _WINDOW + 2 * _HOP))
    frames = around.unfold(0, 2 * _WINDOW, _HOP)[:count]
    window = torch.hann_window(2 * _WINDOW)
    spectrum = torch.fft.rfft((frames - frames.mean(dim=1, keepdim=True)) * window, 4 * _WINDOW)
    shape = torch.fft.irfft(torch.fft.rfft(window, 4 * _WINDOW).abs().square())
    likeness = torch.fft.irfft(spectrum.abs().square())
    likeness = likeness / likeness[:, :1].clamp(min=1e-9) / (shape / shape[0]).clamp(min=1e-3)
    low, high = (round(RATE / pitch) for pitch in _PITCHES[::-1])
    lags = torch.arange(low, high + 1)
    some = likeness[:, low : high + 1]
    lag = (some - _OCTAVE * torch.log2(lags / low)).argmax(dim=1)
    best = some.gather(1, lag[:, None])[:, 0]
    return torch.where(best > _PERIODIC, RATE / lags[lag], 0.0)


def speaking(loudness: Float[Tensor, " N"]) -> Bool[Tensor, " N"]:
    """Where a voice is heard: well above the floor of the sound, clicks and short gaps aside.

    Args:
        loudness: of a whole recording.
    """
    if not len(loudness):
        return torch.zeros(0, dtype=torch.bool)
    floor, loud = loudness.quantile(0.05), loudness.quantile(0.95)
    level = torch.clamp(floor + _SHARE * (loud - floor), min=_SILENT)
    heard = _joined(loudness > level, _FEW)
    return ~_joined(~heard, _LEAST)


def _joined(flags: Bool[Tensor, " N"], most: int) -> Bool[Tensor, " N"]:
    """The flags with gaps of at most so many steps between two of them filled."""
    out = flags.clone()
    places = torch.nonzero(flags)[:, 0]
    for here, there in zip(places[:-1].tolist(), places[1:].tolist(), strict=True):
        if 1 < there - here <= most:
            out[here:there] = True
    return out


def _steps(samples: Float[Tensor, " N"], size: int) -> Float[Tensor, "n size"]:
    whole = torch.nn.functional.pad(samples, (0, -len(samples) % size))
    return whole.view(-1, size)
