"""The arrays of a file of whatever kind, by name."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from morphface.core.errors import ModelError
from morphface.models.readers.content import Content
from morphface.models.readers.hdf5 import open_hdf5
from morphface.models.readers.inert import Record
from morphface.models.readers.mat import read_mat
from morphface.models.readers.npz import read_npz
from morphface.models.readers.pickles import read_pickle

__all__ = ["KINDS", "naming", "pick", "read_arrays"]

KINDS = ("hdf5", "mat", "npz", "pickle")
"""Kinds of `Content` that `read_arrays` knows."""

_DEEPEST = 4


def read_arrays(content: Content, wanted: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays called as in `wanted`, those inside wanted structures included.

    Those of MATLAB files are oriented as MATLAB shows them, in whichever version they are.

    Raises:
        ModelError: the file is damaged, or holds other things under these names.
    """
    if content.kind == "mat":
        return read_mat(content.path, wanted)
    if content.kind == "npz":
        return read_npz(content.path, wanted)
    if content.kind == "hdf5":
        return _read_matlab(content.path, wanted)
    found: dict[str, np.ndarray] = {}
    _collect(read_pickle(content.path), wanted, found, 0)
    return found


def pick(arrays: dict[str, np.ndarray], *names: str) -> np.ndarray:
    """The first of `names` that is there, taken out so that its memory is free after use.

    Raises:
        ModelError: none of them is, or it does not hold numbers.
    """
    for name in names:
        if name in arrays:
            found = arrays.pop(name)
            if found.dtype.kind not in "biuf" or not found.size:
                raise ModelError(f"its {name} does not hold numbers")
            return found
    raise ModelError(f"it lacks {' or '.join(names)}")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the block name the file; numbers that overflow in it are no warnings."""
    try:
        with np.errstate(all="ignore"):
            yield
    except ModelError as error:
        if str(path) in str(error):
            raise
        raise ModelError(f"{path} is not loaded: {error}") from None


def _read_matlab(path: Path, wanted: Collection[str]) -> dict[str, np.ndarray]:
    """MATLAB 7.3: variables are datasets, structures are groups."""
    with open_hdf5(path) as file:
        groups = [name for name in wanted if file.names(name)]
        places = {field: f"{group}/{field}" for group in groups for field in wanted}
        places.update({name: name for name in wanted if file.has(name)})
        return {name: file.matlab(place) for name, place in places.items() if file.has(place)}


def _collect(
    value: object, wanted: Collection[str], found: dict[str, np.ndarray], depth: int
) -> None:
    """The arrays among the entries of dictionaries and the attributes of objects."""
    entries = value.state if isinstance(value, Record) else value
    if not isinstance(entries, dict) or depth > _DEEPEST:
        return
    for key, item in entries.items():
        if key in wanted and isinstance(item, np.ndarray):
            found.setdefault(key, item)
        elif key in wanted and isinstance(item, list) and item:
            found.setdefault(key, _numbers(key, item))
        elif isinstance(item, dict | Record):
            _collect(item, wanted, found, depth + 1)


def _numbers(name: str, items: list[object]) -> np.ndarray:
    try:
        return np.asarray(items, np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"its {name} does not hold numbers") from None
