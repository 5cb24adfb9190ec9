"""The names in a file: of its arrays, its imports, or its files.

Each finder walks the structure of one kind of file within bounds: nothing is executed, nothing
is decompressed whole, and no size that a file states is allocated.
"""

import io
import json
import mmap
import pickletools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["FINDERS", "in_folder", "in_npz", "is_pickled_npy", "opcodes", "parts_of_eos"]

_MOST_NAMES = 4096
_MOST_OPCODES = 200_000
_LONGEST_NAME = 256
_LONGEST_HEADER = 2**26
_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
_TEXT = re.compile("GLOBAL|UNICODE|STRING")


def in_folder(folder: Path) -> Iterator[str]:
    """Files and folders in a folder, and those in its folders."""
    for item in sorted(folder.iterdir())[:_MOST_NAMES]:
        yield item.name
        if item.is_dir():
            yield from (f"{item.name}/{name.name}" for name in sorted(item.iterdir())[:256])


def _in_safetensors(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_LONGEST_HEADER, path.stat().st_size - 8):
            return
        try:
            header = json.loads(file.read(length))
        except ValueError:
            return
    if isinstance(header, dict):
        yield from header


def _in_hdf5(path: Path) -> Iterator[str]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield from (str(name) for name in file)
    except Exception:  # what a damaged file makes h5py raise is anything
        return


def in_npz(path: Path) -> Iterator[str]:
    """Arrays in a NumPy archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:_MOST_NAMES]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return
    yield from (name.removesuffix(".npy") for name in names if name.endswith(".npy"))


def _in_mat(path: Path) -> Iterator[str]:
    """Names of the variables of a MATLAB 5 file: the first bytes of each element tell."""
    with path.open("rb") as file:
        order = "<" if file.read(128)[126:128] == b"IM" else ">"
        for _ in range(_MOST_NAMES):
            tag = file.read(8)
            if len(tag) < 8:
                return
            kind, length = struct.unpack(f"{order}2I", tag)
            start = file.read(min(length, 1024))
            if kind == 15:
                try:
                    start = zlib.decompressobj().decompress(start, 1024)[8:]
                except zlib.error:
                    return
            name = _mat_name(start, order)
            if name.isprintable() and name:
                yield name
            file.seek(length - min(length, 1024), io.SEEK_CUR)


def _mat_name(element: bytes, order: str) -> str:
    """The name in a matrix element: the part after its flags and its dimensions."""
    try:
        (rank,) = struct.unpack_from(f"{order}I", element, 20)
        at = 24 + (rank + 7) // 8 * 8
        short, length = struct.unpack_from(f"{order}2H", element, at)
        if order == ">":
            short, length = length, short
        if length:  # a name of at most four characters shares the tag
            return element[at + 4 : at + 4 + min(length, 4)].decode("latin-1")
        (length,) = struct.unpack_from(f"{order}I", element, at + 4)
        return element[at + 8 : at + 8 + min(length, _LONGEST_NAME)].decode("latin-1")
    except struct.error:
        return ""


def is_pickled_npy(start: bytes) -> bool:
    """Whether a `.npy` file that starts so is a pickled object: a dictionary that was saved."""
    end = _end_of_npy_header(start)
    return 0 < end <= len(start) and b"'|O'" in start[:end]


def _end_of_npy_header(start: bytes | mmap.mmap) -> int:
    """Where the content of a `.npy` file begins; 0 of another file."""
    if start[:6] != b"\x93NUMPY":
        return 0
    width = 2 if start[6:7] == b"\1" else 4
    return 8 + width + int.from_bytes(start[8 : 8 + width], "little")


def _in_pickle(path: Path) -> Iterator[str]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            for count, (name, value) in enumerate(opcodes(data, _end_of_npy_header(data))):
                if count > _MOST_OPCODES:
                    return
                text = value.replace("\n", ".") if name == "GLOBAL" else value.strip("'\"")
                if text.isprintable() and len(text) > 1 and _TEXT.search(name):
                    yield text
        except (ValueError, EOFError):
            return


def opcodes(data: bytes | mmap.mmap, at: int = 0) -> Iterator[tuple[str, str]]:
    """Each opcode's name and its text, empty if long: arrays are stepped over, not read."""
    size = len(data)
    while at < size:
        opcode = _OPCODES.get(chr(data[at]))
        if opcode is None:
            raise ValueError("not an opcode")
        at += 1
        start, at = _argument(data, at, opcode)
        if at > size:
            raise EOFError
        short = at - start <= _LONGEST_NAME
        yield opcode.name, data[start:at].decode("latin-1").strip() if short else ""
        if opcode.name == "STOP":
            return


def _argument(data: bytes | mmap.mmap, at: int, opcode: pickletools.OpcodeInfo) -> tuple[int, int]:
    """Where the argument of the opcode before `at` starts and where it ends."""
    if opcode.arg is None:
        return at, at
    width = opcode.arg.n
    if width >= 0:
        return at, at + width
    if width == pickletools.UP_TO_NEWLINE:
        end = data.find(b"\n", at) + 1
        if end and opcode.name in ("GLOBAL", "INST"):
            end = data.find(b"\n", end) + 1
        return at, end or len(data) + 1
    prefix = {
        pickletools.TAKEN_FROM_ARGUMENT1: 1,
        pickletools.TAKEN_FROM_ARGUMENT8U: 8,
    }.get(width, 4)
    start = at + prefix
    return start, start + int.from_bytes(data[at:start], "little")


def _in_surrey(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        yield from parts_of_eos(file.read(64), path.stat().st_size)


def parts_of_eos(start: bytes, size: int) -> list[str]:
    """What an archive of eos holds: a column of positions, or a list of named offsets."""
    for at in (0, 4, 8):  # after the versions of the classes, where it has them
        if len(start) >= at + 8:
            rows, columns = struct.unpack_from("<2i", start, at)
            if columns == 1 and rows >= 9 and rows % 3 == 0 and 4 * rows < size:
                return ["model"]
    for at in (8, 12):
        if len(start) >= at + 9:
            count, length = (int.from_bytes(start[k : k + 8], "little") for k in (0, at))
            name = start[at + 8 : at + 8 + length]
            if 1 <= count <= 1000 and 1 <= length <= 40 and name.isascii():
                return ["blendshapes"] if name.decode("ascii").isprintable() else []
    return []


FINDERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "safetensors": _in_safetensors,
    "hdf5": _in_hdf5,
    "mat": _in_mat,
    "npz": in_npz,
    "pickle": _in_pickle,
    "surrey": _in_surrey,
}
