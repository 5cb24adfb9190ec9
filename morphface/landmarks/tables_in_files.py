"""Landmarks in `.csv` and `.npy` files: tables of numbers without a word on what they are."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import LandmarkError

__all__ = ["faces_of_array", "faces_of_csv"]

_COLUMN = re.compile(r"([xy])_?(\d+)", re.IGNORECASE)
_MOST_FACES = 1000
_AXES = (2, 3)


def faces_of_csv(text: str) -> list[Float[Tensor, "N 2"]]:
    """The points of each face: a row for each point, or for each face with columns `x_0`, `y_0`.

    Args:
        text: of the file; numbers with commas, semicolons, tabs or blanks between them.

    Raises:
        LandmarkError: it is no such table.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise LandmarkError("holds no face; detect landmarks instead")
    sign = next((sign for sign in ",;\t" if sign in lines[0]), None)
    rows = (
        [line.split() for line in lines]
        if sign is None
        else list(csv.reader(io.StringIO("\n".join(lines)), delimiter=sign, skipinitialspace=True))
    )
    columns = {match[0].lower(): k for k, name in enumerate(rows[0]) if (match := _named(name))}
    if columns:
        return _by_columns(rows[1:], columns)
    rows = rows[1:] if not _is_number(rows[0][0]) else rows
    return [_points([row[:2] for row in rows])]


def faces_of_array(data: bytes) -> list[Float[Tensor, "N 2"]]:
    """The points of each face in a `.npy` file: N x 2 or N x 3, with an axis of faces before.

    Args:
        data: of the file.

    Raises:
        LandmarkError: it holds something else.
    """
    try:
        values = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # numpy's parser of headers raises errors of many kinds
        raise LandmarkError("is not a .npy file of plain numbers; write one with numpy") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise LandmarkError("is not a .npy file of plain numbers; write one with numpy")
    if values.ndim not in (2, 3) or values.shape[-1] not in _AXES:
        raise LandmarkError(
            f"holds an array of shape {values.shape}, but landmarks are (N, 2), or (faces, N, 2)"
        )
    faces = values[None] if values.ndim == 2 else values
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused so
        kept = faces[:_MOST_FACES, :, :2].astype(np.float32)
    return [torch.from_numpy(face) for face in kept]


def _by_columns(rows: Sequence[Sequence[str]], columns: dict[str, int]) -> list[Tensor]:
    """A face in each row, as OpenFace writes them; its numbers begin at 0 or 1."""
    numbers = sorted({int(_digits(name)) for name in columns})
    places = {name[0] + _digits(name): place for name, place in columns.items()}
    try:
        pairs = [(places[f"x{n}"], places[f"y{n}"]) for n in numbers]
        return [
            _points([(row[x], row[y]) for x, y in pairs]) for row in rows[:_MOST_FACES] if any(row)
        ]
    except (KeyError, IndexError) as error:
        raise LandmarkError("has columns x_0, y_0, ... that do not come in pairs") from error


def _named(name: str) -> Any:
    return _COLUMN.fullmatch(name.strip())


def _digits(name: str) -> str:
    return re.sub(r"\D", "", name).lstrip("0") or "0"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _points(rows: Sequence[Sequence[str]]) -> Tensor:
    try:
        values = [[float(part) for part in row] for row in rows]
        return torch.tensor(values, dtype=torch.float32).reshape(len(values), 2)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise LandmarkError("has a point that is not two numbers; repair it") from error
