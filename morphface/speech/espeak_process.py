"""The process in which espeak-ng speaks: a program of its own, without the rest of the package.

Its arguments are the library and a voice, its input a text; its output is a line of JSON with the
rate and the phonemes' first samples, then the samples.
"""

import ctypes
import json
import sys
from typing import Any

__all__ = ["synthesise"]

_SYNCHRONOUS = 2
_IPA_EVENTS = 1 | 2
_PHONEME, _END = 7, 0
_UTF8 = 1
_NO_VOICE = 3


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


def synthesise(library: str, voice: str, text: bytes) -> tuple[int, list[Any], bytes]:
    """What is said: the rate, a pair of first sample and name for each phoneme, 16-bit samples.

    Args:
        library: name of the library.
        voice: name of the voice.
        text: in UTF-8.
    """
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
        raise SystemExit(_NO_VOICE)
    engine.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8, None, None)
    engine.espeak_Synchronize()
    return rate, events, b"".join(pieces)


if __name__ == "__main__":
    found = synthesise(sys.argv[1], sys.argv[2], sys.stdin.buffer.read())
    sys.stdout.buffer.write(json.dumps({"rate": found[0], "events": found[1]}).encode() + b"\n")
    sys.stdout.buffer.write(found[2])
