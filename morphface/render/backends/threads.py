"""Who runs the kernels: Python threads, with kernels that release the interpreter lock.

That is safe from any thread and after a fork, and follows `torch.set_num_threads`, which numba's
own layers are not.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from morphface.core.threads import one_torch_thread

__all__ = ["kernels_alone", "lanes", "run", "run_by_worker", "split", "total", "workers"]

TASKS = 4  # for each thread, so that one that is held up gives its work to the others

_pool: ThreadPoolExecutor | None = None
_kept = threading.local()


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


@contextmanager
def kernels_alone() -> Iterator[None]:
    """While it lasts, torch computes on one thread, and the kernels on as many as before.

    For many short computations of torch between kernels: its threads spin when they have nothing
    to do, and wait for each other on a machine that is busy.
    """
    before, _kept.threads = getattr(_kept, "threads", None), _threads()
    try:
        with one_torch_thread():
            yield
    finally:
        _kept.threads = before


def _threads() -> int:
    kept: int | None = getattr(_kept, "threads", None)
    return torch.get_num_threads() if kept is None else kept


def split() -> int:
    """Into how many tasks to split work for the threads that torch may use."""
    threads = _threads()
    return 1 if threads == 1 else TASKS * threads


def lanes(images: int) -> int:
    """How many copies of a sum each of `images` needs, so that all threads can add to it.

    A task has one copy for itself, and the copies are added up in order: the sum depends on the
    number of threads, and on nothing else.
    """
    threads = _threads()
    return 1 if threads == 1 else -(-2 * threads // max(images, 1))


def total(copies: np.ndarray) -> Tensor:
    """The sum of the copies, which are the second axis, in order."""
    return torch.from_numpy(copies[:, 0] if copies.shape[1] == 1 else copies.sum(1))


def run(kernel: Callable[..., None], tasks: int, *arguments: Any) -> None:
    """Calls `kernel(task, tasks, *arguments)` for every task; a free thread takes the next one.

    The calling thread works too and waits for no helper that never got to run, so a busy
    machine costs no more than the cores that it withholds.
    """
    _share(lambda _, task: kernel(task, tasks, *arguments), tasks)


def run_by_worker(kernel: Callable[..., None], tasks: int, *arguments: Any) -> None:
    """As `run`, but `kernel(worker, task, tasks, *arguments)`: each worker may have its own memory.

    Workers are counted from 0 and are fewer than `workers(tasks)`.
    """
    _share(lambda worker, task: kernel(worker, task, tasks, *arguments), tasks)


def workers(tasks: int) -> int:
    """How many threads take part in so many tasks at most."""
    return min(_threads(), tasks)


def _share(call: Callable[[int, int], None], tasks: int) -> None:
    global _pool
    remaining = iter(range(tasks))

    def work(worker: int) -> None:
        for task in remaining:
            call(worker, task)

    threads = workers(tasks)
    if threads > 1 and _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="morphface-render")
    helpers = [_pool.submit(work, worker) for worker in range(1, threads)] if _pool else []
    work(0)
    for helper in helpers:
        if not helper.cancel():
            helper.result()
