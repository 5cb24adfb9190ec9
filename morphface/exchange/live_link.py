"""Recordings of the app Live Link Face: curves of ARKit as CSV.

A row a frame: `Timecode`, `BlendShapeCount`, the 52 weights, then yaw, pitch and roll of the head
and of both eyes. A timecode is `HH:MM:SS:FF.fff`: frames at the rate of the recording, which the
file does not say, and a fraction of a frame.

No document of the app says which way the angles turn. In a recording of it, the eyes' yaw rises
with EyeLookInLeft and EyeLookOutRight, their pitch with EyeLookDown, both in radians, and their
roll is what turning by yaw, pitch and roll in this order leaves over. So all three are the
negatives of the package's; those of the head, which that recording lacks, are taken to be alike.
"""

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.files import atomic_write
from morphface.edit import ARKIT_NAMES
from morphface.exchange.arkit import ArkitCurves, gaze_of_look
from morphface.exchange.csv_rows import read_rows

__all__ = ["RATE", "read_live_link", "write_live_link"]

RATE = 60.0
"""Frames a second of a recording: what the app makes and importers expect by default."""

_SHAPES = (
    *(
        f"Eye{way}{side}"
        for side in ("Left", "Right")
        for way in ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")
    ),
    *("JawForward", "JawRight", "JawLeft", "JawOpen", "MouthClose", "MouthFunnel"),
    *("MouthPucker", "MouthRight", "MouthLeft", "MouthSmileLeft", "MouthSmileRight"),
    *("MouthFrownLeft", "MouthFrownRight", "MouthDimpleLeft", "MouthDimpleRight"),
    *("MouthStretchLeft", "MouthStretchRight", "MouthRollLower", "MouthRollUpper"),
    *("MouthShrugLower", "MouthShrugUpper", "MouthPressLeft", "MouthPressRight"),
    *("MouthLowerDownLeft", "MouthLowerDownRight", "MouthUpperUpLeft", "MouthUpperUpRight"),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight"),
    "TongueOut",
)
_ANGLES = tuple(
    f"{part}{angle}"
    for part in ("Head", "LeftEye", "RightEye")
    for angle in ("Yaw", "Pitch", "Roll")
)
_HEADER = ("Timecode", "BlendShapeCount", *_SHAPES, *_ANGLES)
_NUMBER = r"\d{1,3}(?:\.\d{1,9})?"
_TIMECODE = re.compile(rf"(\d{{1,3}}):(\d{{1,2}}):({_NUMBER})(?:[:;]({_NUMBER}))?")
_USUAL_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 100.0, 120.0, 240.0, 1000.0)
_DAY = 86_400.0


def write_live_link(
    path: str | Path, curves: ArkitCurves, *, rate: float = RATE, degrees: bool = False
) -> None:
    """Write curves as a recording of Live Link Face.

    Args:
        path: the file to write or replace.
        curves: of a face; times count from the first frame.
        rate: frames a second that timecodes count in; whoever reads the file must know it.
            Frames of another rate have timecodes between.
        degrees: write angles in degrees, which some programs want, instead of radians.

    Raises:
        ParameterError: the rate is not from 1 to 1000.
        OutputError: the file cannot be written there.
    """
    _check_rate(rate)
    place = {name.lower(): k for k, name in enumerate(ARKIT_NAMES)}
    weights = curves.weights[:, [place[name.lower()] for name in _SHAPES]]
    eyes = torch.nn.functional.pad(curves.gaze, (0, 1)).flatten(1)
    angles = -torch.cat([curves.head, eyes], dim=1)
    numbers = torch.cat([weights, torch.rad2deg(angles) if degrees else angles], dim=1)
    count = len(_HEADER) - 2
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER)
        for time, row in zip((curves.times - curves.times[0]).tolist(), numbers, strict=True):
            values = (f"{value + 0.0:.10f}" for value in row.tolist())
            writer.writerow((_timecode(time, rate), count, *values))


def read_live_link(
    path: str | Path, *, rate: float | None = None, degrees: bool | None = None
) -> tuple[ArkitCurves, list[str]]:
    """Read a recording of Live Link Face, or what other programs write in its layout.

    Columns are found by name, in any order and case. Times count from the first row.

    Args:
        path: of the file.
        rate: frames a second that its timecodes count in; None tells it by the highest count.
        degrees: whether angles are in degrees; None tells it by their range.

    Returns:
        The curves, and what was decided or left out, in sentences.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it has other content, a row is damaged, or a value is none.
    """
    if rate is not None:
        _check_rate(rate)
    header, rows = read_rows(Path(path))
    columns = {_plain(name): k for k, name in reversed(list(enumerate(header)))}
    known = [name for name in ARKIT_NAMES if name.lower() in columns]
    if not known or "timecode" not in columns:
        raise ParameterError(
            f"{path} is no recording of Live Link Face: its first line must name Timecode and "
            "expressions such as JawOpen"
        )
    notes: list[str] = []
    numbers = _numbers(path, rows, (*ARKIT_NAMES, *_ANGLES), columns)
    weights, angles = numbers.split((len(ARKIT_NAMES), len(_ANGLES)), dim=1)
    if len(known) < len(ARKIT_NAMES):
        notes.append(f"{len(ARKIT_NAMES) - len(known)} of the 52 expressions are missing, and rest")
    times = _times(path, [row[columns["timecode"]] for row in rows], rate, notes)
    head, left, right = (-_radians(angles, degrees, notes)).split(3, dim=1)
    curves = ArkitCurves(
        times=times,
        weights=_weights(path, weights, notes),
        head=head,
        gaze=torch.stack([left[:, :2], right[:, :2]], dim=1),
        seen=torch.ones(len(rows), dtype=torch.bool),
    )
    if not curves.gaze.any():
        curves = gaze_of_look(curves)
        notes.append("the eyes have no angles: they turn as the EyeLook weights say")
    return curves, notes


def _check_rate(rate: float) -> None:
    if not 1.0 <= rate <= 1000.0:
        raise ParameterError(f"rate must be from 1 to 1000 frames a second, got {rate:g}")


def _timecode(time: float, rate: float) -> str:
    """`HH:MM:SS:FF.fff` of a time; what is not a whole number of frames stays as a fraction."""
    seconds, frame = int(time), round((time - int(time)) * rate, 3)
    if frame >= rate:
        seconds, frame = seconds + 1, 0.0
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours:02d}:{minutes:02d}:{seconds % 60:02d}:{frame:06.3f}"


def _plain(name: str) -> str:
    return name.strip().strip("\ufeff").lower()


def _numbers(
    path: str | Path, rows: list[list[str]], names: Sequence[str], columns: dict[str, int]
) -> Float[Tensor, "T N"]:
    """The columns of these names; 0 for those that are not there."""
    values = np.zeros((len(rows), len(names)))
    for k, name in enumerate(names):
        column = columns.get(name.lower())
        if column is not None:
            for number, row in enumerate(rows):
                values[number, k] = _number(path, number + 2, name, row[column])
    return torch.from_numpy(values)


def _number(path: str | Path, row: int, name: str, cell: str) -> float:
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(f"{path} is damaged: {name} in row {row} is {cell[:40]!r}, no number")
    return value


def _weights(path: str | Path, weights: Float[Tensor, "T 52"], notes: list[str]) -> Tensor:
    """Weights from 0 to 1, in single precision."""
    most = float(weights.max())
    if 1.5 < most <= 150.0:
        weights = weights / 100
        notes.append("weights are taken as per cent, since they go up to more than 1")
    low, high = float(weights.min()), float(weights.max())
    if low < -0.5 or high > 1.5:
        raise ParameterError(f"{path} has weights from {low:g} to {high:g}, and 0 to 1 are wanted")
    if low < 0 or high > 1:
        notes.append(f"weights from {low:.3f} to {high:.3f} are held within 0 to 1")
    return weights.clamp(0.0, 1.0).float()


def _radians(
    angles: Float[Tensor, "T 9"], degrees: bool | None, notes: list[str]
) -> Float[Tensor, "T 9"]:
    """Angles in radians: nobody's head turns by more than half a turn."""
    if degrees is None:
        degrees = bool((angles.abs() > math.pi + 1e-3).any())
        unit = "degrees" if degrees else "radians"
        if angles.any():
            notes.append(f"angles are taken as {unit}, by their range")
    return (torch.deg2rad(angles) if degrees else angles).float()


def _times(
    path: str | Path, codes: list[str], rate: float | None, notes: list[str]
) -> Float[Tensor, " T"]:
    """Seconds from the first row; evenly spaced where timecodes do not rise."""
    seconds, frames = np.zeros(len(codes)), np.zeros(len(codes))
    for k, code in enumerate(codes):
        found = _TIMECODE.fullmatch(code.strip())
        if found is None:
            raise ParameterError(
                f"{path} is damaged: Timecode in row {k + 2} is {code[:40]!r}, not HH:MM:SS:FF"
            )
        hours, minutes, whole, part = found.groups()
        seconds[k] = 3600 * int(hours) + 60 * int(minutes) + float(whole)
        frames[k] = float(part or 0)
    if rate is None:
        rate = _rate_of(seconds, frames)
        if frames.any():
            notes.append(f"timecodes are taken to count {rate:g} frames a second")
    times = seconds + frames / rate
    times += _DAY * np.cumsum(np.diff(times, prepend=times[0]) < -_DAY / 2)
    if bool((np.diff(times) <= 0).any()):
        times = np.arange(len(codes)) / rate
        notes.append("timecodes do not rise: frames are taken to follow evenly")
    return torch.from_numpy(times - times[0])


def _rate_of(seconds: np.ndarray, frames: np.ndarray) -> float:
    """The rate of a recording, whose count goes up to the last frame of a second."""
    most = float(frames.max())
    whole = seconds[-1] - seconds[0] >= 2
    fitting = [rate for rate in _USUAL_RATES if rate - 1.01 <= most < rate]
    if whole and fitting:
        return fitting[0]
    return next(rate for rate in (RATE, *_USUAL_RATES[6:], math.inf) if most < rate)
