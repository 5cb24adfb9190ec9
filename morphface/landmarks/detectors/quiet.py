"""Keeps native libraries from talking on standard error."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["quiet"]

_STDERR = 2


@contextmanager
def quiet() -> Iterator[None]:
    """Sends what this process writes to file descriptor 2, and warnings, nowhere.

    C++ libraries log there directly, past `sys.stderr`. The redirection holds for the whole
    process, so keep the block short. Without such a descriptor it does nothing.
    """
    try:
        saved = os.dup(_STDERR)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    _flush()
    try:
        os.dup2(nowhere, _STDERR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _flush()
        os.dup2(saved, _STDERR)
        os.close(saved)
        os.close(nowhere)


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
