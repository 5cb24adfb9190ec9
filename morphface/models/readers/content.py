"""What is in a file, told from its first bytes and not from its name.

Nothing is executed, decompressed whole or allocated by a size that a file states: names are
found by walking the file's own structure within bounds.
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
from dataclasses import dataclass
from pathlib import Path

from morphface.core.errors import MissingFileError, ModelError

__all__ = ["Content", "look"]

_MOST_NAMES = 4096
_MOST_OPCODES = 200_000
_LONGEST_NAME = 256
_LONGEST_HEADER = 2**26
_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}
_TEXT = re.compile("GLOBAL|UNICODE|STRING")
_KINDS = {
    "safetensors": "a safetensors file",
    "hdf5": "an HDF5 file",
    "mat": "a MATLAB file",
    "npz": "a NumPy archive",
    "pickle": "a Python pickle",
    "surrey": "a binary file of the eos library",
    "exp_pca": "a raw expression basis (Exp_Pca.bin)",
    "text": "a text file",
    "folder": "a folder",
}
_UNKNOWN = {
    b"": "an empty file",
    b"\x1f\x8b": "a gzip-compressed file, which must be decompressed first",
    b"PK\x03\x04": "a ZIP archive, which must be unpacked first",
    b"Rar!": "a RAR archive, which must be unpacked first",
    b"7z\xbc\xaf": "a 7z archive, which must be unpacked first",
    b"\x93NUMPY": "a single NumPy array",
    b"glTF": "a glTF scene",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF document",
}


@dataclass(frozen=True)
class Content:
    """What a file or folder looks like.

    Args:
        path: of the file.
        kind: "safetensors", "hdf5", "mat", "npz", "pickle", "surrey", "folder", "exp_pca",
            "text" or "unknown".
        names: its top-level keys; the short strings and the imported names ("module.name") of a
            pickle; the files of a folder, one level of folders included ("folder/file"); of a
            binary file of eos "model" or "blendshapes". Empty where there are none, or where a
            damaged file does not tell.
    """

    path: Path
    kind: str
    names: frozenset[str]

    def has(self, *names: str) -> bool:
        """Whether all these names are there."""
        return self.names.issuperset(names)

    def describe(self) -> str:
        """What it is, for an error message: "a MATLAB file with shapeMU, shapePC"."""
        if self.kind == "unknown":
            return _unknown(_first_bytes(self.path, 8))
        clear = [name for name in self.names if name.replace("/", "").isidentifier()]
        some = sorted(clear or self.names, key=lambda name: (len(name) > 24, name))[:6]
        more = ", ..." if len(self.names) > len(some) else ""
        return _KINDS[self.kind] + (f" with {', '.join(some)}{more}" if some else "")


def look(path: str | Path) -> Content:
    """What `path` looks like, by content alone.

    Raises:
        MissingFileError: there is nothing at this path.
        ModelError: it is neither a file nor a folder, or cannot be read.
    """
    place = Path(path)
    if not place.exists():
        raise MissingFileError(f"there is no model file at {place}")
    try:
        if place.is_dir():
            return Content(place, "folder", frozenset(_in_folder(place)))
        if not place.is_file():
            raise ModelError(f"{place} is neither a file nor a folder")
        kind = _kind(place)
        finder = _FINDERS.get(kind)
        return Content(place, kind, frozenset(finder(place)) if finder else frozenset())
    except PermissionError:
        raise ModelError(f"{place} may not be read: check its permissions") from None


def _kind(path: Path) -> str:
    start, size = _first_bytes(path, 4096), path.stat().st_size
    for kind, looks_like in _SIGNS.items():
        if looks_like(start, size, path):
            return kind
    return "unknown"


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)


def _unknown(start: bytes) -> str:
    for sign, words in _UNKNOWN.items():
        if start == sign or (sign and start.startswith(sign)):
            return words
    return "a file of a kind that is not known here"


# Signs: does a file of this size that starts like this look like the kind?


def _is_safetensors(start: bytes, size: int, path: Path) -> bool:
    # The header's length is below 2**40, so a text, which has no zero bytes, never passes.
    return size >= 10 and start[5:8] == b"\0\0\0" and start[8:9] == b"{"


def _is_hdf5(start: bytes, size: int, path: Path) -> bool:
    return any(start[at : at + 8] == b"\x89HDF\r\n\x1a\n" for at in (0, 512, 1024, 2048))


def _is_mat(start: bytes, size: int, path: Path) -> bool:
    return start[:6] == b"MATLAB" and start[126:128] in (b"IM", b"MI")


def _is_npz(start: bytes, size: int, path: Path) -> bool:
    return start[:4] == b"PK\x03\x04" and any(_in_npz(path))


def _is_pickle(start: bytes, size: int, path: Path) -> bool:
    if start[:1] == b"\x80" and start[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return True
    if start[:1] not in (b"(", b"]", b"}", b"c", b"l", b"d") or size < 3:
        return False
    with path.open("rb") as file:
        file.seek(-1, io.SEEK_END)
        return file.read(1) == b"." and not _is_plain(start)


def _is_plain(start: bytes) -> bool:
    """Whether a file that starts like an old pickle is rather a text: not all are opcodes."""
    try:
        for _ in _opcodes(start):
            pass
    except EOFError:
        return False
    except ValueError:
        return True
    return False


def _is_surrey(start: bytes, size: int, path: Path) -> bool:
    return bool(_surrey_parts(start, size))


def _is_exp_pca(start: bytes, size: int, path: Path) -> bool:
    rank = int.from_bytes(start[:4], "little")
    return 1 <= rank <= 1000 and size > 4096 and (size - 4) % (12 * (1 + rank)) == 0


def _is_text(start: bytes, size: int, path: Path) -> bool:
    try:
        return size > 0 and "\0" not in start.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(start) - 4 and b"\0" not in start


_SIGNS: dict[str, Callable[[bytes, int, Path], bool]] = {
    "safetensors": _is_safetensors,
    "hdf5": _is_hdf5,
    "mat": _is_mat,
    "npz": _is_npz,
    "pickle": _is_pickle,
    "surrey": _is_surrey,
    "text": _is_text,
    "exp_pca": _is_exp_pca,
}


# Names: what does a file of this kind hold?


def _in_folder(folder: Path) -> Iterator[str]:
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


def _in_npz(path: Path) -> Iterator[str]:
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


def _in_pickle(path: Path) -> Iterator[str]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            for count, (name, value) in enumerate(_opcodes(data)):
                if count > _MOST_OPCODES:
                    return
                text = value.replace("\n", ".") if name == "GLOBAL" else value.strip("'\"")
                if text.isprintable() and len(text) > 1 and _TEXT.search(name):
                    yield text
        except (ValueError, EOFError):
            return


def _opcodes(data: bytes | mmap.mmap) -> Iterator[tuple[str, str]]:
    """Each opcode's name and its text, empty if long: arrays are stepped over, not read."""
    at, size = 0, len(data)
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
    yield from _surrey_parts(_first_bytes(path, 64), path.stat().st_size)


def _surrey_parts(start: bytes, size: int) -> list[str]:
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


_FINDERS: dict[str, Callable[[Path], Iterator[str]]] = {
    "safetensors": _in_safetensors,
    "hdf5": _in_hdf5,
    "mat": _in_mat,
    "npz": _in_npz,
    "pickle": _in_pickle,
    "surrey": _in_surrey,
}
