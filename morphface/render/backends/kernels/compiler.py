"""How every kernel is compiled: lazily, for the types it meets, and once for all processes."""

import warnings
from collections.abc import Callable
from functools import cache, partial
from inspect import unwrap
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys

from morphface.core.errors import SlowWarning

__all__ = ["cache_folders", "compiled", "compiled_before", "inlined"]

_folders: set[Path] = set()


def compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compiles without the interpreter lock, and keeps the result where that can be written."""
    function = unwrap(function)  # numba cannot compile what a shape checker has wrapped
    compiler: Any = partial(numba.njit, nogil=True, error_model="numpy", **options)
    try:
        kernel: Any = compiler(cache=True)(function)
    except RuntimeError:  # neither the package nor the user's cache folder is writable
        _say_that_nothing_is_kept()
        kernel = compiler()(function)
    else:
        _folders.add(Path(kernel.stats.cache_path))
        if _LOADS_ALONE:
            kernel._cache = _KernelCache(function)
    return kernel


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, for a part of a kernel that is needed for each face or pixel.

    Left to itself the compiler calls it, if it is long, and hands it every array on the stack.

    Args:
        function: as it is called by others that are compiled, and by nobody else.
    """
    return compiled(function, forceinline=True)


_LOADS_ALONE = hasattr(FunctionCache, "_load_overload") and hasattr(rtsys, "initialize")
"""Whether this numba has what `_KernelCache` asks for."""


class _KernelCache(FunctionCache):
    """numba's cache, which prepares numba to compile only when there is something to compile.

    That takes longer than to load all kernels of a fit. What was compiled needs of it numba's
    memory, and what linear algebra calls; none of the kernels calls any.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel for these types; None if it was not compiled before.

        Args:
            sig: the types.
            target_context: numba's, for a processor.
        """
        with self._guard_against_spurious_io_errors():
            rtsys.initialize(target_context)
            found = self._load_overload(sig, target_context)
            if found is not None:
                return found
        return super().load_overload(sig, target_context)


def cache_folders() -> tuple[Path, ...]:
    """Where the kernels that were imported so far are kept; none where nothing can be."""
    return tuple(sorted(_folders))


def compiled_before() -> bool:
    """Whether this machine has compiled any of the kernels that were imported so far."""
    return any(any(folder.glob("*.nbi")) for folder in _folders)


@cache
def _say_that_nothing_is_kept() -> None:
    warnings.warn(
        "compiled kernels cannot be kept: neither morphface's folder nor your cache folder can be "
        "written to, so that each run compiles for half a minute; set NUMBA_CACHE_DIR to a folder "
        "that can be written to",
        SlowWarning,
        stacklevel=3,
    )
