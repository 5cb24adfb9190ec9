"""Arrays of NumPy archives, checked before anything is allocated."""

import io
import zipfile
from collections.abc import Collection
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from morphface.core.errors import ModelError
from morphface.models.readers.pickles import load_pickle

__all__ = ["read_npz"]

_LIMIT = 2**32  # bytes of an array
_LARGEST_PICKLE = 2**28  # bytes of a sparse matrix
_MOST_COMPRESSED = 200
_PIECE = 2**20


def read_npz(
    path: Path, wanted: Collection[str], *, matrices: Collection[str] = ()
) -> dict[str, np.ndarray]:
    """The arrays called as in `wanted`.

    Args:
        path: of the archive.
        wanted: names of arrays; those that are not there are left out.
        matrices: which of these may be sparse matrices of scipy, which NumPy pickles; they are
            read without running anything, and made dense.

    Raises:
        ModelError: the file is damaged, an array of it has other than numbers or text, or claims
            more than the file can hold.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {item.filename.removesuffix(".npy"): item for item in archive.infolist()}
            chosen = {name: members[name] for name in wanted if name in members}
            return {
                name: _array(archive, item, sparse=name in matrices)
                for name, item in chosen.items()
            }
    except ModelError as error:
        raise ModelError(f"{path} is not loaded: {error}") from None
    except Exception as error:  # what a damaged archive makes zipfile raise is anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"{path} is a damaged NumPy archive: {reason}") from None


def _array(archive: zipfile.ZipFile, item: zipfile.ZipInfo, *, sparse: bool) -> np.ndarray:
    if item.file_size > min(_LIMIT, item.compress_size * _MOST_COMPRESSED + 2**16):
        raise ModelError(f"its {item.filename} claims {item.file_size} bytes")
    with archive.open(item) as file:
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(file)
        if sparse and dtype.hasobject:
            return _matrix(archive, item)
        if dtype.kind not in "biufSU" or dtype.hasobject or dtype.itemsize == 0:
            raise ModelError(f"its {item.filename} holds {dtype}, not numbers")
        needed = prod(shape) * dtype.itemsize
        if any(size < 0 for size in shape) or needed > item.file_size:
            raise ModelError(f"its {item.filename} claims {needed} bytes of shape {shape}")
        flat = np.empty(prod(shape), dtype)
        _fill(file, flat, item.filename)
        return flat.reshape(shape, order="F" if fortran else "C")


def _matrix(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> np.ndarray:
    """A pickled sparse matrix, as a dense one."""
    if item.file_size > _LARGEST_PICKLE:
        raise ModelError(f"its {item.filename} is a pickle of {item.file_size} bytes")
    content = archive.read(item)
    found = load_pickle(io.BytesIO(content), len(content))
    if not hasattr(found, "toarray"):
        raise ModelError(f"its {item.filename} holds an object, not numbers")
    return np.asarray(found.toarray())


def _fill(file: Any, flat: np.ndarray, name: str) -> None:
    target, at = flat.view("u1"), 0
    while at < len(target):
        piece = file.read(min(_PIECE, len(target) - at))
        if not piece:
            raise ModelError(f"its {name} ends early")
        target[at : at + len(piece)] = np.frombuffer(piece, "u1")
        at += len(piece)
