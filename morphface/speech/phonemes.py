"""What is said when: phonemes with times, and what finds them in sound.

Symbols are those of the International Phonetic Alphabet, whatever the language; recognisers that
have others convert. Times are in seconds from the first sample.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError

__all__ = ["PAUSE", "RATE", "Phoneme", "Recogniser", "merged", "shifted"]

RATE = 16_000
"""Samples a second of all sound in this room."""
PAUSE = ""
"""The symbol of nothing said."""


@dataclass(frozen=True)
class Phoneme:
    """One sound of speech.

    Args:
        symbol: in IPA, such as "m" or "aɪ"; empty for a pause.
        start: when it begins, in seconds.
        end: when it ends.

    Raises:
        ParameterError: times are not finite, or it does not end after its start.
    """

    symbol: str
    start: float
    end: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end) and self.end > self.start):
            raise ParameterError(
                f"phoneme {self.symbol!r} must end after its start, got {self.start:g} s to "
                f"{self.end:g} s"
            )


class Recogniser(Protocol):
    """What hears phonemes in sound.

    Its name is told to users; `texts` says whether it takes a text that is known to be spoken, and
    `longest` how many seconds it takes in one go.
    """

    name: str
    texts: bool
    longest: float

    def __call__(
        self, samples: Float[Tensor, " N"], text: str | None = None
    ) -> tuple[Phoneme, ...]:
        """The phonemes of a sound, in order and without overlaps, pauses left out.

        Args:
            samples: at `RATE`, in [-1, 1].
            text: what is said, if that is known.

        Raises:
            ParameterError: the text cannot be what is said.
        """
        ...


def shifted(phonemes: Iterable[Phoneme], seconds: float) -> tuple[Phoneme, ...]:
    """The phonemes later, or with a negative number earlier.

    Args:
        phonemes: to shift.
        seconds: by how much.
    """
    return tuple(Phoneme(p.symbol, p.start + seconds, p.end + seconds) for p in phonemes)


def merged(phonemes: Iterable[Phoneme]) -> tuple[Phoneme, ...]:
    """The phonemes in the order of their starts, none longer than until the next, no pauses.

    Args:
        phonemes: in any order.
    """
    spoken = sorted((p for p in phonemes if p.symbol != PAUSE), key=lambda p: p.start)
    nexts = [p.start for p in spoken[1:]] + [math.inf]
    return tuple(
        Phoneme(p.symbol, p.start, min(p.end, end))
        for p, end in zip(spoken, nexts, strict=False)
        if end > p.start
    )
