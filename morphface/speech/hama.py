"""hama, a small network that hears phonemes of many languages; its model comes with it.

It says which phoneme is most likely every 20 ms, mostly none between two of them (CTC, Graves et
al. 2006), so that it hears well but dates roughly. PocketSphinx dates what it heard.
"""

from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.speech.alphabet import ipa_letters, ipa_to_arpabet
from morphface.speech.phonemes import RATE, Phoneme, merged
from morphface.speech.pocket import Aligner

__all__ = ["Hama", "has_hama"]

_LATE = 0.054
"""Seconds from where a phoneme begins to where the network tells it, the median of 30 sentences of
three synthetic voices (`benchmarks/results/speech.json`)."""


def has_hama() -> bool:
    """Whether hama is installed."""
    return find_spec("hama") is not None


class Hama:
    """Hears phonemes of many languages.

    Args:
        aligner: dates what it heard; None takes hama's own times.
    """

    name = "hama"
    texts = False
    longest = 20.0

    def __init__(self, aligner: Aligner | None = None) -> None:
        self._aligner = aligner

    @cached_property
    def _model(self) -> Any:
        if not has_hama():
            raise MissingDependencyError("hama is not installed; run: pip install hama")
        return import_module("hama").ASRModel()

    def __call__(
        self, samples: Float[Tensor, " N"], text: str | None = None
    ) -> tuple[Phoneme, ...]:
        """As of `Recogniser`.

        Raises:
            MissingDependencyError: hama is not installed.
        """
        result = self._model.transcribe_waveform(samples.numpy().astype(np.float32), RATE)
        spans = self._model.phoneme_spans(result)
        rough = merged(
            Phoneme(letters, max(0.0, span.start_ms / 1e3 - _LATE), span.end_ms / 1e3 - _LATE)
            for span in spans
            if (letters := ipa_letters(span.phoneme)) and span.end_ms / 1e3 > _LATE
        )
        if self._aligner is None or not rough:
            return rough
        names = [ipa_to_arpabet(p.symbol) for p in rough]
        try:
            dated = self._aligner.spelled(samples, [n for n in names if n])
        except ParameterError:
            return rough
        return dated
