"""Arrays of MATLAB files, version 5 (6, 7), read straight into single precision.

`scipy.io.loadmat` builds whatever a file names and allocates what a file claims, in double
precision; a face model needs neither. This reader knows numbers and structures of numbers. An
array must have exactly as many bytes as its dimensions need, and those must be in the file: plain
ones as they are, compressed ones within a factor of `MOST_COMPRESSED`. Nothing is allocated
before that is checked. Files of version 7.3 are HDF5: see `hdf5`.
"""

import io
import struct
import zlib
from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from morphface.core.errors import ModelError

__all__ = ["MOST_COMPRESSED", "read_mat"]

MOST_COMPRESSED = 200
"""How many times larger a compressed array may become."""

_SLACK = 2**16  # bytes that a compressed variable may have whatever its size in the file
_PIECE = 2**20
_DEEPEST = 4
_COMPRESSED, _MATRIX = 15, 14
_STRUCT = 2
_STORED = {
    **dict(enumerate(("i1", "u1", "i2", "u2", "i4", "u4", "f4"), start=1)),
    **{9: "f8", 12: "i8", 13: "u8"},
}
_CLASSES = {
    **dict.fromkeys((6, 7), "f4"),
    **dict(enumerate(("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"), start=8)),
}
_OTHERS = {1: "a cell array", 3: "an object", 4: "text", 5: "a sparse matrix", 16: "a function"}


def read_mat(path: Path, wanted: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays called as in `wanted`, in the orientation that MATLAB shows.

    Doubles become single precision. The fields of a wanted structure are searched too, and stand
    beside the others.

    Raises:
        ModelError: the file is damaged or truncated, or a wanted variable is not an array.
    """
    try:
        with path.open("rb") as file:
            return _variables(file, path.stat().st_size, wanted)
    except (struct.error, zlib.error, UnicodeDecodeError, OverflowError) as error:
        raise ModelError(f"{path} is a damaged MATLAB file: {error}") from None
    except ModelError as error:
        raise ModelError(f"{path} is a damaged MATLAB file: {error}") from None


class _Source:
    """Bytes of one element, plain or compressed, with a limit on how many there may be."""

    def __init__(self, file: BinaryIO, length: int, order: str, compressed: bool) -> None:
        self.order = order
        self.left = length * MOST_COMPRESSED + _SLACK if compressed else length
        self._file = file
        self._stored = length
        self._inflate = zlib.decompressobj() if compressed else None

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        self.check(count)
        data = bytearray(count)
        self.fill(memoryview(data))
        return bytes(data)

    def check(self, count: int) -> None:
        """Refuse `count` bytes that cannot be there."""
        if count > self.left:
            raise ModelError(f"it claims {count} bytes where at most {self.left} can follow")

    def skip(self, count: int) -> None:
        """Step over `count` bytes."""
        self.check(count)
        if self._inflate is None:
            self._file.seek(count, io.SEEK_CUR)
            self.left -= count
            return
        while count > 0:
            count -= len(self.take(min(count, _PIECE)))

    def fill(self, target: memoryview) -> None:
        """Fill `target` with the next bytes."""
        at = 0
        while at < len(target):
            piece = self._next(len(target) - at)
            if not piece:
                raise ModelError("it ends in the middle of an array")
            target[at : at + len(piece)] = piece
            at += len(piece)
        self.left -= at

    def _next(self, most: int) -> bytes:
        if self._inflate is None:
            return self._file.read(min(most, _PIECE))
        held = self._inflate.unconsumed_tail
        if not held and self._stored:
            held = self._file.read(min(self._stored, _PIECE))
            self._stored -= len(held)
        piece = self._inflate.decompress(held, min(most, _PIECE))
        if not piece and self._stored and not self._inflate.eof:
            return self._next(most)
        return piece

    def tag(self) -> tuple[int, int, bytes | None]:
        """Type and length of the next part; its bytes where they share the tag."""
        first, second = struct.unpack(f"{self.order}2I", self.take(8))
        if first >> 16:
            short = struct.pack(f"{self.order}I", second)
            return first & 0xFFFF, min(first >> 16, 4), short
        return first, second, None

    def part(self) -> tuple[int, bytes]:
        """Type and bytes of the next small part, and the padding after it."""
        kind, length, short = self.tag()
        if short is not None:
            return kind, short[:length]
        if length > _SLACK:
            raise ModelError(f"it has a header of {length} bytes")
        return kind, self.take(-(-length // 8) * 8)[:length]


def _variables(file: BinaryIO, size: int, wanted: Collection[str]) -> dict[str, np.ndarray]:
    header = file.read(128)
    order = "<" if header[126:128] == b"IM" else ">"
    found: dict[str, np.ndarray] = {}
    if len(header) < 128:
        raise ModelError(f"it has {size} bytes: truncated")
    while tag := file.read(8):
        if len(tag) < 8:
            raise ModelError("it ends in the middle of a tag: truncated")
        kind, length = struct.unpack(f"{order}2I", tag)
        start = file.tell()
        if length > size - start:
            raise ModelError(f"it claims {length} bytes where {size - start} follow: truncated")
        source = _Source(file, length, order, compressed=kind == _COMPRESSED)
        if kind == _COMPRESSED:
            kind, inner, _ = source.tag()
            source.check(inner)
        if kind == _MATRIX:
            _matrix(source, "", wanted, found)
        file.seek(start + length)
    return found


def _matrix(
    source: _Source, name: str, wanted: Collection[str], found: dict[str, np.ndarray], deep: int = 0
) -> None:
    """Read one variable, whose tag was read, into `found` if it is wanted."""
    flags = struct.unpack(f"{source.order}I", source.part()[1][:4])[0]
    dims = source.part()[1]
    shape = struct.unpack(f"{source.order}{len(dims) // 4}i", dims)
    name = source.part()[1].decode("latin-1") or name
    if name not in wanted:
        return
    kind = flags & 0xFF
    if kind == _STRUCT and prod(shape) == 1 and deep < _DEEPEST:
        _fields(source, wanted, found, deep)
    elif kind in _CLASSES and not flags & 0x800:
        found[name] = _array(source, shape, _CLASSES[kind])
    else:
        held = _OTHERS.get(kind, "something else")
        raise ModelError(f"{name} is {held}, where an array of real numbers was expected")


def _fields(
    source: _Source, wanted: Collection[str], found: dict[str, np.ndarray], deep: int
) -> None:
    width = struct.unpack(f"{source.order}i", source.part()[1])[0]
    names = source.part()[1]
    if not 0 < width <= len(names):
        raise ModelError("it has a structure without names of fields")
    for at in range(0, len(names), width):
        field = names[at : at + width].split(b"\0")[0].decode("latin-1")
        kind, length, short = source.tag()
        if short is not None or kind != _MATRIX:
            raise ModelError(f"field {field!r} of its structure is no array")
        source.check(length)
        before = source.left
        if length and field in wanted:
            _matrix(source, field, wanted, found, deep + 1)
        rest = length - (before - source.left)
        if rest < 0:
            raise ModelError(f"field {field!r} of its structure is longer than it says")
        source.skip(rest)


def _array(source: _Source, shape: tuple[int, ...], code: str) -> np.ndarray:
    kind, length, short = source.tag()
    if kind not in _STORED or any(size < 0 for size in shape):
        raise ModelError("an array of it has no numbers")
    stored = np.dtype(_STORED[kind]).newbyteorder(source.order)  # type: ignore[arg-type]
    if prod(shape) * stored.itemsize != length:
        raise ModelError(f"an array of shape {shape} claims {length} bytes")
    if short is not None:
        return np.frombuffer(short[:length], stored).astype(code).reshape(shape, order="F")
    source.check(length)
    flat = np.empty(prod(shape), code)
    _convert(source, stored, flat)
    source.skip(min(-length % 8, source.left))
    return flat.reshape(shape, order="F")


def _convert(source: _Source, stored: np.dtype, target: np.ndarray) -> None:
    """Fill `target` from the source, piece by piece where the types differ."""
    if stored == target.dtype:
        source.fill(target.view("u1").data)
        return
    step = _PIECE // stored.itemsize
    with np.errstate(all="ignore"):
        for at in range(0, len(target), step):
            piece = target[at : at + step]
            piece[:] = np.frombuffer(source.take(len(piece) * stored.itemsize), stored)
