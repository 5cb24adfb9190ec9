"""Morphable models as Head2Head and HeadGAN store them: a flatbuffer.

Its root table has a version, a mesh (points, triangles) and a list of components, each with its
points and its scale, the standard deviation. Every offset is checked against the file's size.
"""

import struct
from pathlib import Path

import numpy as np

from morphface.core.errors import ModelError

__all__ = ["read_components", "recognises"]

_LIMIT = 2**31
_MOST_COMPONENTS = 4096
_MESH, _COMPONENTS = 1, 2  # fields of the root table
_POINTS, _SCALE = 0, 1  # fields of a component


def recognises(path: Path) -> bool:
    """Whether the file has such a table at its root, with components."""
    try:
        return bool(len(_Buffer(path).components()))
    except ModelError:
        return False


def read_components(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The components as columns, three rows a vertex, and their standard deviations.

    Raises:
        ModelError: the file is damaged, or the components differ in length.
    """
    buffer = _Buffer(path)
    tables = buffer.components()
    rows = [buffer.floats(table, _POINTS) for table in tables]
    if not rows or {len(row) for row in rows} != {len(rows[0])}:
        raise ModelError("its components differ in length")
    return np.stack(rows).T, np.array([buffer.number(table, _SCALE) for table in tables])


class _Buffer:
    """Tables of a flatbuffer, by position."""

    def __init__(self, path: Path) -> None:
        if not 8 < path.stat().st_size <= _LIMIT:
            raise ModelError("it is no flatbuffer")
        self._data = np.memmap(path, np.uint8, mode="r")

    def components(self) -> list[int]:
        """Positions of the tables of the components."""
        root = self._unsigned(0)
        if self._field(root, _MESH) is None:
            raise ModelError("it has no mesh")
        count, first = self._vector(root, _COMPONENTS)
        if count > _MOST_COMPONENTS:
            raise ModelError(f"it claims {count} components")
        places = [first + 4 * k for k in range(count)]
        return [place + self._unsigned(place) for place in places]

    def floats(self, table: int, field: int) -> np.ndarray:
        """A vector of numbers."""
        count, first = self._vector(table, field)
        return np.frombuffer(self._bytes(first, 4 * count), "<f4")

    def number(self, table: int, field: int) -> float:
        """A number; 0 where it is left out."""
        place = self._field(table, field)
        return 0.0 if place is None else float(struct.unpack("<f", self._bytes(place, 4))[0])

    def _vector(self, table: int, field: int) -> tuple[int, int]:
        place = self._field(table, field)
        if place is None:
            raise ModelError("a table of it lacks a field")
        start = place + self._unsigned(place)
        return self._unsigned(start), start + 4

    def _field(self, table: int, field: int) -> int | None:
        """Where a field of a table is; None where it is left out."""
        layout = table - struct.unpack("<i", self._bytes(table, 4))[0]
        length = struct.unpack("<H", self._bytes(layout, 2))[0]
        if 4 + 2 * field + 2 > length:
            return None
        offset = struct.unpack("<H", self._bytes(layout + 4 + 2 * field, 2))[0]
        return table + offset if offset else None

    def _unsigned(self, at: int) -> int:
        return int(struct.unpack("<I", self._bytes(at, 4))[0])

    def _bytes(self, at: int, count: int) -> bytes:
        if not 0 <= at <= len(self._data) - count:
            raise ModelError("an offset of it leads out of the file")
        return self._data[at : at + count].tobytes()
