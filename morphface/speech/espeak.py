"""Synthetic speech by espeak-ng where it is installed, with its own times of the phonemes.

Its library is loaded when it is asked for; nothing of it is part of this package. It is under the
GPL, and is run in a process of its own, which hands over samples and times.
"""

import json
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.signal import resample_poly
from torch import Tensor

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.speech.alphabet import ipa_letters
from morphface.speech.phonemes import RATE, Phoneme, merged

__all__ = ["has_espeak", "say"]

_PROCESS = Path(__file__).with_name("espeak_process.py")
_LONGEST_TEXT = 20_000
_LIBRARIES = ("espeak-ng", "espeak-ng-1")


def has_espeak() -> bool:
    """Whether the library of espeak-ng is installed."""
    return _library() is not None


def _library() -> str | None:
    return next((found for name in _LIBRARIES if (found := find_library(name))), None)


def say(text: str, voice: str = "en-us") -> tuple[Float[Tensor, " N"], tuple[Phoneme, ...]]:
    """What a synthetic voice says, and when it says which phoneme.

    Args:
        text: to be said.
        voice: of espeak-ng, with the accent or variant, as "en-us", "de" or "en-us+f3".

    Raises:
        MissingDependencyError: espeak-ng is not installed.
        ParameterError: there is no such voice, or the text has nothing to say.
    """
    library = _library()
    if library is None:
        raise MissingDependencyError(
            "a text is spoken by espeak-ng, which is not installed; "
            "run: apt install espeak-ng, or give a file of sound"
        )
    if not text.strip() or len(text) > _LONGEST_TEXT:
        raise ParameterError(f"text must have 1 to {_LONGEST_TEXT} letters, got {len(text)}")
    command = [sys.executable, str(_PROCESS), library, voice]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if done.returncode:
        raise ParameterError(f"espeak-ng has no voice {voice!r}; `espeak-ng --voices` lists them")
    head, _, pcm = done.stdout.partition(b"\n")
    told = json.loads(head)
    return _speech(np.frombuffer(pcm, np.int16) / 32768.0, told["rate"], told["events"])


def _speech(
    samples: np.ndarray, rate: int, events: list[tuple[int, str]]
) -> tuple[Float[Tensor, " N"], tuple[Phoneme, ...]]:
    """Samples at `RATE`, and phonemes, each until the next event."""
    ends = [start for start, _ in events[1:]] + [len(samples)]
    spoken = [
        Phoneme(letters, start / rate, end / rate)
        for (start, name), end in zip(events, ends, strict=True)
        if (letters := ipa_letters(name)) and end > start
    ]
    if not spoken:
        raise ParameterError("espeak-ng finds nothing to say in the text; give words")
    divisor = int(np.gcd(rate, RATE))
    wanted = resample_poly(samples, RATE // divisor, rate // divisor)
    return torch.from_numpy(wanted.astype(np.float32)), merged(spoken)
