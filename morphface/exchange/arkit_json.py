"""Curves of ARKit as JSON that says what it holds: names, units and signs are in the file.

Unlike the CSV of Live Link Face it knows in which frames the face was seen, and times as they are.
"""

import json
import math
from pathlib import Path
from typing import Any

import torch

from morphface.core.errors import MissingFileError, MorphfaceError, ParameterError
from morphface.core.files import atomic_write
from morphface.edit import ARKIT_NAMES
from morphface.exchange.arkit import ArkitCurves

__all__ = ["read_arkit_json", "write_arkit_json"]

FORMAT = "morphface arkit curves"
VERSION = 1

_ANGLES = ("yaw", "pitch", "roll")
_EYES = ("left", "right")
_CONVENTIONS = {
    "time": "seconds",
    "weights": "0 to 1; a name that is missing is 0",
    "head": "radians; yaw to the subject's left, pitch up, roll to the right shoulder",
    "eyes": "radians, relative to the head; the subject's own left and right",
    "seen": "whether the face was seen; where not, values are the last ones",
}
_LARGEST = 1 << 29  # bytes of a file
_DIGITS = 7


def write_arkit_json(path: str | Path, curves: ArkitCurves) -> None:
    """Write curves as JSON, an object a frame.

    Args:
        path: the file to write or replace.
        curves: of a face.

    Raises:
        OutputError: the file cannot be written there.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "conventions": _CONVENTIONS,
        "names": list(ARKIT_NAMES),
        "frames": [_frame(curves, k) for k in range(curves.frames)],
    }
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")


def read_arkit_json(path: str | Path) -> ArkitCurves:
    """Read what `write_arkit_json` wrote.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it has other content, or is damaged.
    """
    place = Path(path)
    if not place.is_file():
        raise MissingFileError(f"there is no file of curves {path}")
    if place.stat().st_size > _LARGEST:
        raise ParameterError(f"{path} has more than {_LARGEST >> 20} MB: no curves are that long")
    try:
        document = json.loads(place.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ParameterError(f"{path} is no file of curves that morphface export wrote")
    if document.get("version") != VERSION:
        raise ParameterError(
            f"{path} has version {document.get('version')!r}, and this morphface reads {VERSION}; "
            "update morphface to read it"
        )
    try:
        return _curves(document["frames"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        reason = str(error) if isinstance(error, MorphfaceError) else "a frame lacks its values"
        raise ParameterError(f"{path} is damaged: {reason}") from None


def _frame(curves: ArkitCurves, k: int) -> dict[str, Any]:
    weights = (round(value, _DIGITS) for value in curves.weights[k].tolist())
    head = (round(value, _DIGITS) for value in curves.head[k].tolist())
    eyes = [[round(value, _DIGITS) for value in eye] for eye in curves.gaze[k].tolist()]
    return {
        "time": round(float(curves.times[k]), 6),
        "seen": bool(curves.seen[k]),
        "weights": dict(zip(ARKIT_NAMES, weights, strict=True)),
        "head": dict(zip(_ANGLES, head, strict=True)),
        "eyes": {
            side: dict(zip(_ANGLES[:2], eye, strict=True))
            for side, eye in zip(_EYES, eyes, strict=True)
        },
    }


def _curves(frames: list[dict[str, Any]]) -> ArkitCurves:
    weights = [
        [_value(frame["weights"].get(name, 0.0)) for name in ARKIT_NAMES] for frame in frames
    ]
    gaze = [[[_value(f["eyes"][s][a]) for a in _ANGLES[:2]] for s in _EYES] for f in frames]
    return ArkitCurves(
        times=torch.tensor([_value(f["time"]) for f in frames], dtype=torch.float64),
        weights=torch.tensor(weights, dtype=torch.float32),
        head=torch.tensor([[_value(f["head"][a]) for a in _ANGLES] for f in frames]).float(),
        gaze=torch.tensor(gaze, dtype=torch.float32),
        seen=torch.tensor([bool(frame["seen"]) for frame in frames]),
    )


def _value(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("a value is no number")
    return float(value)
