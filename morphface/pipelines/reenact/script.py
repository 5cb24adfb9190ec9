"""Key frames of edits, from a file of JSON.

A list of key frames, each an object with its `time` in seconds and any of these, which mean what
they mean in `morphface.edit.edit`, angles in degrees:

    [
      {"time": 0},
      {"time": 1.0, "expression": {"jawOpen": 0.6}, "yaw": 10},
      {"time": 2.5, "preset": {"smile": 0.8}, "gaze": [5, 0], "additive": true}
    ]

`expression` (weights by name), `preset` (a name, or names with strengths), `yaw`, `pitch`, `roll`,
`gaze` ([yaw, pitch]) and `additive` (add to the base rather than set it). What a key frame leaves
out is the base's. Between two key frames the face is interpolated; before the first and after the
last it is theirs. The last one ends the video.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import MissingFileError, MorphfaceError, ParameterError
from morphface.edit import edit, interpolate
from morphface.edit.frames import GROUPS
from morphface.edit.names import unknown
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["Key", "animated", "read_script"]

_FIELDS = ("expression", "preset", "yaw", "pitch", "roll", "gaze", "additive")
_MOST_BYTES = 1 << 22
_LONGEST = 3600.0
"""Seconds."""
_LARGEST = 1e6


@dataclass(frozen=True)
class Key:
    """A face at a time.

    Args:
        time: in seconds.
        changes: arguments of `edit`.
        number: of the key frame in its script, from 1.
    """

    time: float
    changes: dict[str, Any] = field(default_factory=dict)
    number: int = 1

    def of(self, base: FaceParameters, model: MorphableModel) -> FaceParameters:
        """The base as this key frame wants it.

        Raises:
            ParameterError: it cannot be so; the message names the key frame.
        """
        try:
            return edit(base, model=model, **self.changes)
        except MorphfaceError as error:
            raise ParameterError(f"{self}: {error}") from error

    def __str__(self) -> str:
        return f"key frame {self.number} (at {self.time:g} s)"


def read_script(source: str | Path | Sequence[dict[str, Any]]) -> list[Key]:
    """Key frames, checked as far as that goes without a face.

    Args:
        source: a file of JSON, or what it would hold.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is no such list; the message names the key frame and the field.
    """
    name = source if isinstance(source, str | Path) else "script"
    entries = _entries(Path(source)) if isinstance(source, str | Path) else source
    if not isinstance(entries, list | tuple) or not entries:
        raise ParameterError(
            f'{name} must be a list of key frames, such as [{{"time": 0}}, '
            '{"time": 1, "preset": "smile"}], and have at least one'
        )
    keys: list[Key] = []
    for number, entry in enumerate(entries, 1):
        key = _key(number, entry)
        if keys and not key.time > keys[-1].time:
            raise ParameterError(f"{key} must be later than {keys[-1]}; times must rise")
        keys.append(key)
    return keys


def animated(
    keys: Sequence[Key],
    base: FaceParameters,
    times: Float[Tensor, " T"],
    model: MorphableModel,
) -> FaceParameters:
    """The base, changed as the key frames say.

    Args:
        keys: in order of time.
        base: in T frames.
        times: of these, in seconds.
        model: that the base belongs to.

    Raises:
        ParameterError: a key frame asks for what cannot be; the message names it.
    """
    for key in keys:
        key.of(base[0], model)
    ends = torch.tensor([key.time for key in keys], dtype=torch.float64)
    place = torch.searchsorted(ends, times.double().contiguous(), right=True)
    parts = []
    for number in place.unique_consecutive().tolist():
        here = torch.nonzero(place == number)[:, 0]
        some = base[int(here[0]) : int(here[-1]) + 1]
        first, last = keys[max(number - 1, 0)], keys[min(number, len(keys) - 1)]
        made = first.of(some, model)
        if last is not first:
            share = (times[here] - first.time) / (last.time - first.time)
            made = interpolate(made, last.of(some, model), share.float().clamp(0, 1))
        parts.append(made)
    rows = {name: torch.cat([getattr(part, name) for part in parts]) for name in GROUPS}
    return FaceParameters(identity=base.identity, reflectance=base.reflectance, **rows)


def _entries(path: Path) -> Any:
    if not path.is_file():
        raise MissingFileError(f"there is no script {path}")
    if path.stat().st_size > _MOST_BYTES:
        raise ParameterError(f"{path} is too large to be a script: more than 4 MB")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ParameterError(
            f"{path} is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ParameterError(f"{path} is no JSON") from error


def _key(number: int, entry: Any) -> Key:
    words = f"key frame {number}"
    if not isinstance(entry, dict):
        raise ParameterError(f'{words} must be an object such as {{"time": 1.0, "yaw": 10}}')
    for name in entry:
        if name not in ("time", *_FIELDS):
            raise ParameterError(f"{words}: {unknown('field', str(name), ('time', *_FIELDS))}")
    if "time" not in entry:
        raise ParameterError(f"{words} lacks its time, in seconds")
    time = entry["time"]
    if not _is_number(time) or not 0 <= time <= _LONGEST:
        raise ParameterError(
            f"{words}: time must be seconds from 0 to {_LONGEST:g}, got {json.dumps(time)}"
        )
    key = Key(float(time), {k: v for k, v in entry.items() if k != "time"}, number)
    for name, value in key.changes.items():
        wish = _wish(name, value)
        if wish:
            raise ParameterError(f"{key}: {name} must be {wish}, got {json.dumps(value)}")
    return key


def _wish(name: str, value: Any) -> str:
    """What the value of a field must be; empty if it is that."""
    weights = isinstance(value, dict) and all(_is_number(weight) for weight in value.values())
    if name == "expression":
        return "" if weights else 'weights by name, such as {"jawOpen": 0.6}'
    if name == "preset":
        return "" if weights or isinstance(value, str) else "a name, or names with strengths"
    if name == "gaze":
        pair = isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))
        return "" if pair else "[yaw, pitch] in degrees"
    if name == "additive":
        return "" if isinstance(value, bool) else "true or false"
    return "" if _is_number(value) else "a number of degrees"


def _is_number(value: Any) -> bool:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and abs(value) <= _LARGEST  # which no NaN is
