"""Synthetic speech by espeak-ng where it is installed, with its own times of the phonemes.

Its library is loaded when it is asked for; nothing of it is part of this package. It is under the
GPL, and is run in a process of its own, which hands over samples and times.
"""

import ctypes
import json
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.signal import resample_poly
from torch import Tensor

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.speech.alphabet import ipa_letters
from morphface.speech.phonemes import RATE, Phoneme, merged

__all__ = ["has_espeak", "say"]

_SYNCHRONOUS = 2
_IPA_EVENTS = 1 | 2
_PHONEME, _END = 7, 0
_UTF8 = 1
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
    command = [sys.executable, str(Path(__file__)), library, voice]
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


class _Event(ctypes.Structure):
    """`espeak_EVENT` of espeak-ng's speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


def _synthesise(library: str, voice: str, text: bytes) -> tuple[int, list[Any], bytes]:
    """Rate, events and samples, of this process's own copy of the library."""
    engine = ctypes.CDLL(library)
    rate = int(engine.espeak_Initialize(_SYNCHRONOUS, 0, None, _IPA_EVENTS))
    events: list[Any] = []
    pieces: list[bytes] = []

    def hear(samples: Any, count: int, told: Any) -> int:
        pieces.append(ctypes.string_at(samples, 2 * count) if samples and count else b"")
        row = 0
        while told[row].type != _END:
            if told[row].type == _PHONEME:
                events.append((told[row].sample, told[row].name.decode("utf-8", "ignore")))
            row += 1
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))
    kept = kind(hear)
    engine.espeak_SetSynthCallback(kept)
    if engine.espeak_SetVoiceByName(voice.encode()):
        raise SystemExit(3)
    engine.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8, None, None)
    engine.espeak_Synchronize()
    return rate, events, b"".join(pieces)


if __name__ == "__main__":
    found = _synthesise(sys.argv[1], sys.argv[2], sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps({"rate": found[0], "events": found[1]}).encode() + b"\n")
    sys.stdout.buffer.write(found[2])
