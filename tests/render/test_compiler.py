"""Compiled kernels are kept; where they cannot be, that is said, and only once."""

import subprocess
import sys
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


KEPT = """
import importlib, pkgutil, sys
import morphface
from morphface.render.backends.kernels import compiler
names = [one.name for one in pkgutil.walk_packages(morphface.__path__, "morphface.")]
for name in names:
    if "kernels" in name:
        importlib.import_module(name)
loaded = 0
for name in names:
    for kernel in vars(sys.modules.get(name, sys)).values():
        if isinstance(getattr(kernel, "_cache", None), compiler._KernelCache):
            for signature, *_ in kernel._cache._cache_file._load_index():
                kernel.compile(signature)
                loaded += kernel.stats.cache_hits[signature]
print(loaded > 0, "numba.np.linalg" in sys.modules)
"""


def test_whatever_was_compiled_is_loaded_without_what_compiles():
    from morphface.render.backends.kernels.blend import blend

    assert blend.stats.cache_path
    done = subprocess.run([sys.executable, "-c", KEPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True False\n"), done.stderr


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
