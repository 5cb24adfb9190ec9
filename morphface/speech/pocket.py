"""PocketSphinx, whose model of American English comes with it: nothing is downloaded.

It hears words first, from which its dictionary makes phonemes, and then aligns these to the sound
frame by frame (10 ms). Where words are no help, a loop over all phonemes is.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.speech.alphabet import arpabet_to_ipa
from morphface.speech.phonemes import RATE, Phoneme
from morphface.speech.words import words_of

__all__ = ["Aligner", "PocketPhones", "PocketWords"]

_STEP = 0.01
"""Seconds of a frame."""
_LOOP = {"lw": 2.0, "beam": 1e-20, "pbeam": 1e-20}
"""Search of the phone loop, as the authors' documentation advises."""
_WIDE = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60, "bestpath": False}
"""Alignment loses no time by looking far, and else gives up on unusual voices."""
_LEAD, _NOISE = 0.2, 0.001
"""Seconds of silence put around a sound, and the noise in it: the search needs some to begin and
to end in, and sound that begins at once, or is digital silence, often ends it early."""
_FILLERS = "<["
"""How the names of what is no word begin."""
_HALF_WINDOW = 0.0128
"""Seconds from where a frame of the recogniser begins to the middle of what it looks at."""
_PHONES = "en-us/en-us-phone.lm.bin"


def _decoder(**options: Any) -> Any:
    """A decoder that says nothing."""
    return _package().Decoder(samprate=RATE, loglevel="FATAL", **options)


def _package() -> Any:
    """PocketSphinx.

    Raises:
        MissingDependencyError: it is not installed.
    """
    if find_spec("pocketsphinx") is None:
        raise MissingDependencyError(
            "phonemes are found by pocketsphinx, which is not installed; "
            "run: pip install 'morphface[speech]'"
        )
    return import_module("pocketsphinx")


class Aligner:
    """Puts words, or phonemes that others heard, to the times of a sound."""

    @cached_property
    def _decoder(self) -> Any:
        return _decoder(lm=None, **_WIDE)

    def knows(self, word: str) -> bool:
        """Whether the dictionary has a word, in lower case."""
        return self._decoder.lookup_word(word) is not None

    def words(self, samples: Float[Tensor, " N"], words: Sequence[str]) -> tuple[Phoneme, ...]:
        """The phonemes of words of the dictionary.

        Args:
            samples: at `RATE`.
            words: that are said, in order.

        Raises:
            ParameterError: they cannot be what is said.
        """
        return self._aligned(samples, words)

    def spelled(
        self, samples: Float[Tensor, " N"], words: Sequence[Sequence[str]]
    ) -> tuple[Phoneme, ...]:
        """The phonemes of words that are given in ARPAbet.

        Args:
            samples: at `RATE`.
            words: that are said, in order.

        Raises:
            ParameterError: they cannot be what is said.
        """
        names = []
        for phones in words:
            name = "_".join(["given", *phones]).lower()
            if not self.knows(name):
                self._decoder.add_word(name, " ".join(phones))
            names.append(name)
        return self._aligned(samples, names)

    def _aligned(self, samples: Float[Tensor, " N"], words: Sequence[str]) -> tuple[Phoneme, ...]:
        """Two passes: words to the sound, then the phonemes within them."""
        try:
            self._decoder.set_align_text(" ".join(words))
            _hear(self._decoder, samples)
            heard = [s.word for s in self._decoder.seg() or () if s.word[0] not in _FILLERS]
            if len(heard) != len(words):
                raise ParameterError(_NO_MATCH)
            self._decoder.set_alignment()
            _hear(self._decoder, samples)
            found = self._decoder.get_alignment()
        except RuntimeError as error:
            raise ParameterError(_NO_MATCH) from error
        if found is None:
            raise ParameterError(_NO_MATCH)
        rows = ((p.name, p.start, p.start + p.duration) for word in found for p in word)
        return _phonemes(rows, len(samples) / RATE)


_NO_MATCH = "the text does not match what is said; give the words as they are spoken, or no text"


class PocketWords:
    """Hears English words, and what they are made of."""

    name = "pocketsphinx"
    texts = True
    longest = 20.0

    def __init__(self) -> None:
        self._aligner = Aligner()

    @cached_property
    def _decoder(self) -> Any:
        return _decoder()

    @cached_property
    def _loop(self) -> "PocketPhones":
        return PocketPhones()

    def __call__(
        self, samples: Float[Tensor, " N"], text: str | None = None
    ) -> tuple[Phoneme, ...]:
        """As of `Recogniser`.

        Raises:
            ParameterError: the text has words that the dictionary lacks, or is not what is said.
            MissingDependencyError: PocketSphinx is not installed.
        """
        if text is not None:
            return self._aligner.words(samples, self._known(text))
        _hear(self._decoder, samples)
        words = [s.word.split("(")[0] for s in self._decoder.seg() if s.word[0] not in _FILLERS]
        try:
            return self._aligner.words(samples, words) if words else self._loop(samples)
        except ParameterError:
            return self._loop(samples)

    def _known(self, text: str) -> list[str]:
        words = words_of(text)
        lacking = sorted({word for word in words if not self._aligner.knows(word)})
        if lacking:
            raise ParameterError(
                f"the dictionary of pocketsphinx lacks {', '.join(lacking)}; spell it as it "
                "sounds, in words that are in a dictionary, and numbers as words"
            )
        return words


class PocketPhones:
    """Hears phonemes without words: worse in English, no worse in other languages."""

    name = "pocketsphinx-phones"
    texts = False
    longest = 20.0

    @cached_property
    def _decoder(self) -> Any:
        return _decoder(lm=None, allphone=_package().get_model_path(_PHONES), **_LOOP)

    def __call__(
        self, samples: Float[Tensor, " N"], text: str | None = None
    ) -> tuple[Phoneme, ...]:
        """As of `Recogniser`.

        Raises:
            MissingDependencyError: PocketSphinx is not installed.
        """
        _hear(self._decoder, samples)
        segments = self._decoder.seg() or ()
        rows = ((s.word, s.start_frame, s.end_frame + 1) for s in segments)
        return _phonemes(rows, len(samples) / RATE)


def _hear(decoder: Any, samples: Float[Tensor, " N"]) -> None:
    """Have a decoder search in a sound, with `_LEAD` seconds before and after it."""
    lead = round(_LEAD * RATE)
    noise = np.random.default_rng(0).normal(0.0, _NOISE, len(samples) + 2 * lead)
    noise[lead:-lead] += samples.numpy()
    pcm = (noise.clip(-1.0, 1.0) * 32767).astype(np.int16)
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    decoder.end_utt()


def _phonemes(rows: Iterable[tuple[str, int, int]], seconds: float) -> tuple[Phoneme, ...]:
    """Rows of names, first frames and frames after the last; fillers are left out.

    Args:
        rows: as a decoder has them, which heard `_LEAD` seconds more.
        seconds: length of the sound.
    """
    early = _LEAD - _HALF_WINDOW
    placed = [
        (symbol, max(0.0, start * _STEP - early), min(seconds, end * _STEP - early))
        for name, start, end in rows
        if (symbol := arpabet_to_ipa(name))
    ]
    return tuple(Phoneme(symbol, start, end) for symbol, start, end in placed if end > start)
