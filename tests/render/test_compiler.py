"""Compiled kernels are kept; where they cannot be, that is said, and only once."""

import warnings
from functools import partial

import numba
import pytest

from morphface.core.errors import SlowWarning
from morphface.render.backends.kernels import compiler


def one(x):
    return x + 1


def test_where_kernels_are_kept_is_known():
    kernel = compiler.compiled(one)
    assert kernel(1) == 2
    assert any(folder.is_dir() for folder in compiler.cache_folders())


@pytest.mark.refusal
def test_a_cache_that_cannot_be_written_is_said_once(monkeypatch):
    def njit(function=None, *, cache=False, **options):
        if function is None:
            return partial(njit, cache=cache, **options)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda x: x + 1

    monkeypatch.setattr(numba, "njit", njit)
    compiler._say_that_nothing_is_kept.cache_clear()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        kernels = [compiler.compiled(one), compiler.compiled(one)]
    assert [kernel(1) for kernel in kernels] == [2, 2]
    (message,) = [str(w.message) for w in told if issubclass(w.category, SlowWarning)]
    assert message.startswith("compiled kernels cannot be kept: neither morphface's folder nor")
    assert "set NUMBA_CACHE_DIR to a folder that can be written to" in message
