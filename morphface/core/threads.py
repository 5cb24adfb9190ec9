"""How many threads computations use."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import torch

__all__ = ["beside", "one_torch_thread", "threaded_as_here"]

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """While it lasts, torch and the compiled kernels compute on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def beside(function: Callable[[], object]) -> Iterator[None]:
    """While it lasts, another thread calls `function`, and each of the two computes on one thread.

    It ends when both are done. Where there is one thread only, `function` is not called.

    Args:
        function: works out what is kept, and is missed nowhere if it is not called.
    """
    if torch.get_num_threads() == 1:
        yield
        return
    with one_torch_thread(), ThreadPoolExecutor(1, thread_name_prefix="morphface-beside") as pool:
        done = pool.submit(threaded_as_here(function))
        yield
        done.result()


def threaded_as_here(function: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """A function for another thread to call, with as many threads of torch as the one here has.

    A new thread begins with as many as were last set in any, and sums in floating point depend on
    how many share them.
    """
    threads = torch.get_num_threads()

    def called(*given: _Given.args, **named: _Given.kwargs) -> _Made:
        torch.set_num_threads(threads)
        return function(*given, **named)

    return called
