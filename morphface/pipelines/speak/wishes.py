"""What is said, and how it is shown: the wishes of whoever makes a face speak."""

from dataclasses import dataclass
from pathlib import Path

from morphface.core.errors import ParameterError

__all__ = ["Script", "Showing"]

_RATES = (1.0, 240.0)
_SMALLEST = 32


@dataclass(frozen=True)
class Script:
    """What is said, where that is known, and how it is found where not.

    Args:
        recogniser: name of one, as `morphface.speech.find_recogniser` has it.
        text: the words.
        phonemes: a file of phonemes with times, which then count instead of what is heard.
        say: a text that espeak-ng speaks, where there is no sound.
        voice: of espeak-ng.
        written: where the phonemes are written to, to be edited.

    Raises:
        ParameterError: both text and phonemes are given.
    """

    recogniser: str = "auto"
    text: str | None = None
    phonemes: str | Path | None = None
    written: str | Path | None = None
    say: str | None = None
    voice: str = "en-us"

    def __post_init__(self) -> None:
        if self.text is not None and self.phonemes is not None:
            raise ParameterError("give text or phonemes, not both: phonemes say it all")


@dataclass(frozen=True)
class Showing:
    """How a face that speaks is shown.

    Args:
        rate: frames a second; None is 25, or that of a video.
        size: pixels along the longer side, at most; None is that of the portrait.
        label: whether the word `synthetic` is written into a corner.
        generator: the folder of a trained run that makes the frames; None draws the portrait.

    Raises:
        ParameterError: a number is out of range.
    """

    rate: float | None = None
    size: int | None = None
    label: bool = True
    generator: str | Path | None = None

    def __post_init__(self) -> None:
        if self.rate is not None and not _RATES[0] <= self.rate <= _RATES[1]:
            raise ParameterError(f"rate must be from 1 to 240 frames a second, got {self.rate:g}")
        if self.size is not None and self.size < _SMALLEST:
            raise ParameterError(f"size must be at least {_SMALLEST} pixels, got {self.size}")
