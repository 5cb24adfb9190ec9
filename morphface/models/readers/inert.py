"""Objects of other libraries as values: sparse matrices, and records that do nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from morphface.core.errors import ModelError

__all__ = ["Record", "evaluate", "sparse_matrix"]

_MOST_ENTRIES = 2**28  # of a sparse matrix once it is made dense


@dataclass(frozen=True, eq=False)
class Record:
    """The state of an object whose class is not imported.

    Args:
        name: the class, with its module.
        state: its attributes.
    """

    name: str
    state: dict[str, Any]


def evaluate(record: Record) -> object:
    """The array that a chumpy object stands for, or the record itself.

    `Ch` holds an array as `x`; `Select` takes the entries `idxs` of the array `a`, in the shape
    `preferred_shape`.

    Raises:
        ModelError: the selection does not fit its array.
    """
    kind, state = record.name.rpartition(".")[2], record.state
    if not record.name.startswith("chumpy."):
        return record
    if kind == "Ch" and isinstance(state.get("x"), np.ndarray | float | int):
        return np.asarray(state["x"])
    if kind == "Select" and isinstance(state.get("a"), np.ndarray):
        return _selected(state)
    return record


def _selected(state: dict[str, Any]) -> np.ndarray:
    try:
        picked = state["a"].ravel()[np.asarray(state["idxs"])]
        shape = state.get("preferred_shape")
        return picked if shape is None else picked.reshape(shape)
    except (KeyError, IndexError, TypeError, ValueError):
        raise ModelError("its chumpy selection does not fit its array") from None


def sparse_matrix(kind: str, state: dict[str, Any]) -> object:
    """A scipy.sparse matrix from the state of one.

    Args:
        kind: "csc", "csr" or "coo".
        state: its attributes, as scipy pickles them.

    Raises:
        ModelError: the indices do not fit the shape, or it is larger than any model needs.
    """
    from scipy import sparse

    try:
        rows, columns = (int(size) for size in state.get("_shape", state.get("shape", ())))
        if not 0 < rows * columns <= _MOST_ENTRIES:
            raise ValueError(f"it has the shape {rows} x {columns}")
        if kind == "coo":
            place = state["coords"] if "coords" in state else (state["row"], state["col"])
            return sparse.coo_matrix((state["data"], place), shape=(rows, columns))
        make = sparse.csc_matrix if kind == "csc" else sparse.csr_matrix
        parts = (state["data"], state["indices"], state["indptr"])
        matrix = make(parts, shape=(rows, columns), copy=True)
        matrix.check_format(full_check=True)
        return matrix
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelError(f"its sparse matrix is damaged: {error}") from None
