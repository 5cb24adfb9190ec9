"""Which samples belong to which frame of a video.

Frame k is shown from k / rate on. Its mid-term window has 8 frames, from four before to four after
that moment, in 16 short windows of half a frame. Where those begin is rounded to a sample each on
its own, so that nothing drifts, whatever the rate.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.speech.phonemes import RATE

__all__ = ["FRAMES", "SHORT", "check_rate", "short_starts", "short_windows", "window_length"]

FRAMES, SHORT = 8, 16
"""Frames, and short windows, in a mid-term window (Doukas et al. 2021)."""
_RATES = (1.0, 240.0)


def check_rate(rate: float) -> None:
    """Refuse a rate of frames for which there are no windows.

    Raises:
        ParameterError: it is out of range.
    """
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ParameterError(f"rate must be from 1 to 240 frames a second, got {rate:g}")


def short_starts(frames: int, rate: float) -> Int[Tensor, " n"]:
    """The first sample of each short window, from the first frame's mid-term window on.

    Args:
        frames: of the video.
        rate: frames a second.
    """
    half = SHORT // FRAMES
    numbers = torch.arange(-SHORT // 2, half * (frames - 1) + SHORT // 2)
    return (numbers.double() * RATE / (half * rate)).round().long()


def window_length(rate: float) -> int:
    """Samples of a short window.

    Args:
        rate: frames a second.
    """
    return max(2, round(RATE * FRAMES / (SHORT * rate)))


def short_windows(
    samples: Float[Tensor, " N"], starts: Int[Tensor, " n"], rate: float
) -> Float[Tensor, "n w"]:
    """The samples of short windows; zero beyond the ends of the sound.

    Args:
        samples: at `RATE`.
        starts: first samples.
        rate: frames a second.
    """
    places = starts[:, None] + torch.arange(window_length(rate))
    inside = (places >= 0) & (places < len(samples))
    return samples[places.clamp(0, len(samples) - 1)] * inside
