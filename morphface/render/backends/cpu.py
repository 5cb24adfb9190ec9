"""Visibility on a CPU, in numba: parallel over bands of rows and over the batch.

Two passes (`kernels.py`). `bin_faces` looks at each face once, drops what no pixel centre can
see, and lists the rest by the bands of rows they touch. `draw_bands` then owns whole bands: it
draws outer faces first and skips inner ones that lie behind them, in a buffer that stays in the
cache, and writes each pixel of the result once. Nothing depends on the number of threads: bands
are disjoint, and of equal depths the lowest face index wins.

Threads are Python's, with kernels that release the interpreter lock. That is safe from any
thread and after a fork, and follows `torch.set_num_threads`, which numba's own layers are not.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends.kernels import ROWS, bin_faces, draw_bands

__all__ = ["nearest"]

TASKS = 4  # for each thread, so that one that is held up gives its work to the others


def nearest(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    size: tuple[int, int],
    *,
    perspective: bool,
    cull: bool,
) -> tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
    """Face index, barycentric weights and depth at every pixel centre."""
    batch, (height, width) = len(screen), size
    threads = torch.get_num_threads()
    tasks = 1 if threads == 1 else TASKS * threads
    face = torch.empty((batch, height, width), dtype=torch.int64)
    barycentric = torch.empty((batch, height, width, 3))
    depth = torch.empty((batch, height, width))
    points = np.ascontiguousarray(screen.numpy(), dtype=np.float32)
    triangles = np.ascontiguousarray(faces.numpy())
    # Lists of faces (see `kernels.py`), and for each image and task where each of them starts.
    listed = np.empty((batch, 3 * len(triangles)), np.int32)
    starts = np.empty((batch, tasks, 2 * -(-height // ROWS) + 2), np.int64)
    common = (points, triangles, perspective)
    _run(bin_faces, threads, tasks, *common, cull, (height, width), listed, starts)
    results = face.numpy(), barycentric.numpy(), depth.numpy()
    _run(draw_bands, threads, tasks, *common, listed, starts, *results)
    return face, barycentric, depth


_pool: ThreadPoolExecutor | None = None


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


def _run(kernel: Callable[..., None], threads: int, tasks: int, *arguments: Any) -> None:
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
        _pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="morphface-rasterize")
    helpers = [_pool.submit(work) for _ in range(threads - 1)] if _pool else []
    work()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
