"""How compiled kernels are made and shared out to threads.

Threads are Python's, with kernels that release the interpreter lock. That is safe from any
thread and after a fork, and follows `torch.set_num_threads`, which numba's own layers are not.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import unwrap
from typing import Any

import numba

__all__ = ["compiled", "run"]


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles without the interpreter lock, and keeps the result where that can be written."""
    function = unwrap(function)  # numba cannot compile what a shape checker has wrapped
    compiler: Any = partial(numba.njit, nogil=True, error_model="numpy")
    try:
        return compiler(cache=True)(function)
    except RuntimeError:  # neither the package nor the user's cache folder is writable
        return compiler()(function)


_pool: ThreadPoolExecutor | None = None


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


def run(kernel: Callable[..., None], threads: int, tasks: int, *arguments: Any) -> None:
    """Calls `kernel(task, tasks, ...)` for every task; a thread takes the next one when free.

    The calling thread works too and waits for no helper that never got to run, so a busy
    machine costs no more than the cores that it withholds.
    """
    global _pool
    remaining = iter(range(tasks))

    def work() -> None:
        for task in remaining:
            kernel(task, tasks, *arguments)

    if threads > 1 and _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="morphface-render")
    helpers = [_pool.submit(work) for _ in range(threads - 1)] if _pool else []
    work()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
