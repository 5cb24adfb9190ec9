"""The 300 numbers a frame that drive HeadGAN's mouth (Doukas et al. 2021, section 3.2).

84 are low-level: mean and standard deviation, over the mid-term window, of 21 descriptors and of
their changes. 216 say what is said: for each of the 8 frames of the window, how far it belongs to
each of 27 symbols. The paper takes characters of a recogniser; these are phonemes, which tell more
of a mouth and need no language.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError
from morphface.speech.alphabet import ipa_letters
from morphface.speech.descriptors import DESCRIPTORS, descriptors_of
from morphface.speech.phonemes import RATE, Phoneme
from morphface.speech.windows import (
    FRAMES,
    SHORT,
    check_rate,
    short_starts,
    short_windows,
    window_length,
)

__all__ = ["SYMBOLS", "low_level_features", "phoneme_features", "speech_features"]

SYMBOLS = (
    *("pbɓ", "mɱ", "fvɸβʋ", "θð", "tdɾɗʈɖ", "nɲɳ", "szʦʣ", "lɫɬɮʎɽ", "ɹrɻʀʁ", "ʃʒɕʑʂʐ"),
    *("kɡcɟxɣχq", "ŋɴ", "hɦħç", "jʝɰ", "wɥʍ", "iyɨ", "ɪʏ", "eɛøœɘ", "æ", "aɑɒ", "ʌəɐɜɤ"),
    *("ɔ", "oɵ", "uʉɯ", "ʊ", "ɝɚ", ""),
)
"""Letters of IPA that count as one of the 27 symbols; the last is nothing, or anything else."""
_OF = {letter: k for k, letters in enumerate(SYMBOLS) for letter in letters}
_TOGETHER = 8192
"""Short windows, or frames, that are worked out in one go."""
_CHECKED = 60 * RATE
"""Samples that are looked at in one go for numbers that are none."""


def speech_features(
    samples: Float[Tensor, " N"],
    phonemes: Iterable[Phoneme],
    rate: float,
    frames: int | None = None,
) -> Float[Tensor, "T 300"]:
    """The features of each frame of a video: low-level ones, then phonemes.

    Frame k is that which is shown from k / rate on; `windows.py` says what it hears.

    Args:
        samples: at `RATE`, from the moment of the first frame on.
        phonemes: in the sound.
        rate: frames a second, any.
        frames: of the video; None means as many as the sound lasts.

    Raises:
        ShapeError: samples are not one row.
        ParameterError: they are none or not finite, or a number is out of range.
    """
    low = low_level_features(samples, rate, frames)
    return torch.cat([low, phoneme_features(phonemes, rate, len(low))], dim=1)


def low_level_features(
    samples: Float[Tensor, " N"], rate: float, frames: int | None = None
) -> Float[Tensor, "T 84"]:
    """The low-level features: means of descriptors and of changes, then standard deviations.

    The sound is made free of its mean and as loud as can be first, as pyAudioAnalysis does. It is
    worked through in parts, and never copied whole: samples of hours may be a mapped file.

    Args:
        samples: as in `speech_features`.
        rate: likewise.
        frames: likewise.

    Raises:
        ShapeError: as in `speech_features`.
        ParameterError: likewise.
    """
    check_shape("samples", samples, None)
    for some in samples.split(_CHECKED):
        check_finite("samples", some)
    check_rate(rate)
    if samples.ndim != 1 or not len(samples):
        raise ParameterError(f"samples must be one row of numbers, got {tuple(samples.shape)}")
    count = max(1, round(len(samples) / RATE * rate)) if frames is None else frames
    if count < 1:
        raise ParameterError(f"frames must be 1 or more, got {count}")
    short = _short(samples, rate, count)
    change = torch.cat([torch.zeros_like(short[:1]), short.diff(dim=0)])
    windows = torch.cat([short, change], dim=1).unfold(0, SHORT, SHORT // FRAMES)[:count]
    parts = [(some.mean(dim=2), some.std(dim=2, correction=0)) for some in windows.split(_TOGETHER)]
    return torch.cat([torch.cat(part, dim=1) for part in parts])


def _short(samples: Float[Tensor, " N"], rate: float, frames: int) -> Float[Tensor, "n 21"]:
    """The descriptors of all short windows, part by part."""
    starts = short_starts(frames, rate)
    mean = samples.mean()
    most = torch.maximum(samples.max() - mean, mean - samples.min()) + 1e-10
    parts = []
    for first in range(0, len(starts), _TOGETHER):
        before = min(first, 1)  # flux looks one window back
        some = starts[first - before : first + _TOGETHER]
        begin = min(max(0, int(some[0])), len(samples) - 1)
        free = (samples[begin : int(some[-1]) + window_length(rate)] - mean) / most
        parts.append(descriptors_of(short_windows(free, some - begin, rate))[before:])
    return torch.cat(parts).reshape(-1, len(DESCRIPTORS))


def phoneme_features(
    phonemes: Iterable[Phoneme], rate: float, frames: int
) -> Float[Tensor, "T 216"]:
    """Which symbols the 8 frames about each frame belong to, the earliest first.

    Args:
        phonemes: in order, without overlaps.
        rate: frames a second.
        frames: of the video.

    Raises:
        ParameterError: a number is out of range.
    """
    check_rate(rate)
    if frames < 1:
        raise ParameterError(f"frames must be 1 or more, got {frames}")
    shares = torch.zeros(frames + FRAMES - 1, len(SYMBOLS))
    for one in phonemes:
        letters = ipa_letters(one.symbol) or " "
        length = (one.end - one.start) / len(letters)
        for k, letter in enumerate(letters):
            start = one.start + k * length
            _add(shares[:, _OF.get(letter, len(SYMBOLS) - 1)], start * rate, length * rate)
    shares[:, -1] += (1.0 - shares.sum(dim=1)).clamp(min=0.0)
    return shares.unfold(0, FRAMES, 1).transpose(1, 2).flatten(1)


def _add(column: Float[Tensor, " n"], start: float, length: float) -> None:
    """Add how far each frame is covered by a stretch of time, in frames; row 0 is frame -4."""
    first, last = start + FRAMES // 2, start + FRAMES // 2 + length
    for row in range(max(0, int(first)), min(len(column), int(last) + 1)):
        column[row] += max(0.0, min(last, row + 1) - max(first, row))
