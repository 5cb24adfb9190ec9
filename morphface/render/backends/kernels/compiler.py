"""How every kernel is compiled: lazily, for the types it meets, and once for all processes."""

from collections.abc import Callable
from functools import partial
from inspect import unwrap
from typing import Any

import numba

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles without the interpreter lock, and keeps the result where that can be written."""
    function = unwrap(function)  # numba cannot compile what a shape checker has wrapped
    compiler: Any = partial(numba.njit, nogil=True, error_model="numpy")
    try:
        return compiler(cache=True)(function)
    except RuntimeError:  # neither the package nor the user's cache folder is writable
        return compiler()(function)
