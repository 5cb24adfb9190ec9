"""What is in a file, told from its first bytes and not from its name.

Nothing is executed, decompressed whole or allocated by a size that a file states: names are
found by walking the file's own structure within bounds.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.readers.names import (
    FINDERS,
    in_folder,
    in_npz,
    is_pickled_npy,
    opcodes,
    parts_of_eos,
)

__all__ = ["Content", "look"]

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
_DULL = {"_codecs", "_frombuffer", "_reconstruct", "dtype", "encode", "f4", "f8", "i4", "i8"}
_DULL |= {"O8", "latin1", "ndarray", "numpy", "scalar", "__metadata__"}
"""Names that every pickle of arrays has, or every file of its kind."""
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
        telling = self.names - _DULL
        clear = [name for name in telling if name.replace("/", "").isidentifier()]
        some = sorted(clear or telling, key=lambda name: (len(name) > 24, name))[:6]
        more = ", ..." if len(telling) > len(some) else ""
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
            return Content(place, "folder", frozenset(in_folder(place)))
        if not place.is_file():
            raise ModelError(f"{place} is neither a file nor a folder")
        kind = _kind(place)
        finder = FINDERS.get(kind)
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
    return start[:4] == b"PK\x03\x04" and any(in_npz(path))


def _is_pickle(start: bytes, size: int, path: Path) -> bool:
    if is_pickled_npy(start):
        return True
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
        for _ in opcodes(start):
            pass
    except EOFError:
        return False
    except ValueError:
        return True
    return False


def _is_surrey(start: bytes, size: int, path: Path) -> bool:
    return bool(parts_of_eos(start, size))


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
