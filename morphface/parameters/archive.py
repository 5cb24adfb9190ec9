"""Reading and writing `.npz` files with a JSON header, which every file of parameters is.

Entry `header` is UTF-8 JSON in a byte array, with the name of the format and its version. Nothing
is ever unpickled, and no memory is taken for more than a file holds.
"""

import json
import zipfile
import zlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from morphface.core.errors import MissingFileError, ParameterError
from morphface.core.files import atomic_write
from morphface.core.version import __version__

__all__ = [
    "MAX_BYTES",
    "check_suffix",
    "library_versions",
    "read_entries",
    "read_header",
    "to_array",
    "to_tensor",
    "write_entries",
]

MAX_BYTES = 1 << 30
"""The most that a file may unpack to."""


def library_versions() -> dict[str, str]:
    """Versions of morphface and of what it computes with, for headers and reports."""
    found = {"morphface": __version__}
    for name in ("torch", "numpy", "mediapipe"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def check_suffix(path: str | Path, what: str) -> None:
    """Refuse a path that does not end in `.npz`; `what` is saved there.

    Raises:
        ParameterError: it does not.
    """
    if Path(path).suffix != ".npz":
        raise ParameterError(f"{what} saved as .npz, got {Path(path).name!r}")


def write_entries(path: str | Path, entries: dict[str, np.ndarray], header: dict[str, Any]) -> None:
    """Write arrays and a header, whole or not at all.

    Raises:
        OutputError: the file cannot be written there.
    """
    text = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **entries, header=text)


def to_array(value: Tensor) -> np.ndarray:
    """A tensor's values in float32."""
    return value.detach().cpu().numpy().astype(np.float32)


def to_tensor(name: str, array: np.ndarray) -> Tensor:
    """The float32 tensor of an entry.

    Raises:
        ParameterError: it holds no floating-point numbers.
    """
    if array.dtype.kind != "f":
        raise ParameterError(f"{name} must hold floating-point numbers, got {array.dtype}")
    return torch.from_numpy(array.astype(np.float32))


def read_entries(path: Path, kind: str, *, limit: int = MAX_BYTES) -> dict[str, np.ndarray]:
    """All arrays of a file.

    Args:
        path: of the file.
        kind: what it should be, with who writes such files after a semicolon.
        limit: the most bytes that it may unpack to.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is of another kind, damaged or too large.
    """
    name, _, writers = kind.partition(";")
    if not path.exists():
        raise MissingFileError(f"there is no {name} {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive, limit)
            return {
                info.filename.removesuffix(".npy"): _read_array(archive, info.filename)
                for info in archive.infolist()
            }
    except ParameterError:
        raise
    except (
        OSError,
        ValueError,
        EOFError,
        RuntimeError,
        NotImplementedError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ParameterError(
            f"{path} is not a {name} of morphface, or it is damaged;{writers}"
        ) from error


def read_header(
    path: str | Path, entry: np.ndarray | None, *, kind: str, name: str, newest: int
) -> dict[str, Any]:
    """The header of a file.

    Args:
        path: of the file, for messages.
        entry: its bytes.
        kind: what the file should be, in words.
        name: of the format.
        newest: version that can be read.

    Raises:
        ParameterError: the file is of another kind, or made by a newer morphface.
    """
    try:
        header = json.loads(bytes(entry)) if entry is not None and entry.dtype == np.uint8 else None
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != name:
        raise ParameterError(f"{path} is an .npz file, but not a {kind} of morphface")
    number = header.get("version")
    if not isinstance(number, int) or number < 1:
        raise ParameterError(f"{path} has no valid format version, got {number!r}")
    if number > newest:
        raise ParameterError(
            f"{path} was made by a newer morphface (format {number}, this one reads up to "
            f"{newest}); update morphface to read it"
        )
    return header


def _check_sizes(path: Path, archive: zipfile.ZipFile, limit: int) -> None:
    total = sum(info.file_size for info in archive.infolist())
    if total > limit:
        raise ParameterError(f"{path} unpacks to {total} bytes, more than the {limit} allowed")


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One entry, whose declared shape is checked against its size before memory is taken."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as stream:
        shape, _, dtype = _read_layout(stream)
        if int(np.prod(shape, dtype=object)) * dtype.itemsize > size:
            raise ValueError(f"{name} declares more than it holds")
    with archive.open(name) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _read_layout(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    if npy.read_magic(stream) == (1, 0):
        return npy.read_array_header_1_0(stream)
    return npy.read_array_header_2_0(stream)
