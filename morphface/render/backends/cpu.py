"""Visibility on a CPU, in numba: parallel over bands of rows and over the batch.

Two passes. `_bin_faces` looks at each face once, drops what no pixel centre can see, and lists
the rest by the bands of rows they touch. `_draw_bands` then owns whole bands: it scan-converts
their faces into a buffer that stays in the cache, and writes each pixel of the result once.

Scan conversion makes shared edges exact: where an edge crosses a row of pixel centres is
computed from its upper end, by one expression, so both of its faces get the same number, and a
row of a face is the half-open range between two of them. Nothing depends on the number of
threads: bands are disjoint, and of equal depths the lowest face index wins.

Threads are Python's, with kernels that release the interpreter lock. That is safe from any
thread and after a fork, and follows `torch.set_num_threads`, which numba's own layers are not.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numba
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends import NEAR

__all__ = ["nearest"]

ROWS = 16  # of a band
TASKS = 4  # for each thread, so that one that is held up gives its work to the others
MASK = 0x7FFFFFFF
EMPTY = np.iinfo(np.int64).min  # key of a pixel that holds no face


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
    # For each image and task: a list a band, then one of the faces that touch three or more.
    lists = np.empty((batch, 3 * len(triangles)), np.int32)
    starts = np.empty((batch, tasks, -(-height // ROWS) + 2), np.int64)
    common = (points, triangles, perspective)
    _run(_bin_faces, threads, tasks, *common, cull, (height, width), lists, starts)
    results = face.numpy(), barycentric.numpy(), depth.numpy()
    _run(_draw_bands, threads, tasks, *common, lists, starts, *results)
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


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles without the interpreter lock, and keeps the result where that can be written."""
    compiler: Any = partial(numba.njit, nogil=True, error_model="numpy")
    try:
        return compiler(cache=True)(function)
    except RuntimeError:  # neither the package nor the user's cache folder is writable
        return compiler()(function)


@_compiled
def _first(edge: float, size: int) -> int:
    """Index of the first pixel whose centre is at `edge` or beyond, at most `size`."""
    return int(math.ceil(min(max(edge, 0.0), size + 1.0) - 0.5))


@_compiled
def _bin_faces(task, tasks, points, faces, perspective, cull, size, lists, starts):
    """Lists the faces of this task's chunk by the bands that they touch."""
    low, high = task * len(faces) // tasks, (task + 1) * len(faces) // tasks
    bands = starts.shape[2] - 2
    touched = np.empty((high - low, 2), np.int32)
    place = np.empty(bands + 1, np.int64)
    for image in range(len(points)):
        corner, listed, start = points[image], lists[image], starts[image, task]
        place[:] = 0
        for f in range(low, high):
            top, bottom = _bands(corner, faces, f, perspective, cull, size, bands)
            touched[f - low, 0], touched[f - low, 1] = top, bottom
            for band in range(top, bottom + 1):
                place[band] += 1
        start[0] = 3 * low
        for band in range(bands + 1):
            start[band + 1] = start[band] + place[band]
            place[band] = start[band]
        for f in range(low, high):
            for band in range(touched[f - low, 0], touched[f - low, 1] + 1):
                listed[place[band]] = f
                place[band] += 1


@_compiled
def _bands(corner, faces, f, perspective, cull, size, bands):
    """First and last list that face `f` enters; (0, -1) if no pixel centre can see it.

    A face that touches more than two bands enters the list after the last band's instead.
    """
    height, width = size
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    x0, y0, z0 = float(corner[a, 0]), float(corner[a, 1]), corner[a, 2]
    x1, y1, z1 = float(corner[b, 0]), float(corner[b, 1]), corner[b, 2]
    x2, y2, z2 = float(corner[c, 0]), float(corner[c, 1]), corner[c, 2]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    # A NaN fails each comparison. On the screen, where y points down, counter-clockwise faces
    # have a negative area.
    if not (-np.inf < area < 0.0 or (0.0 < area < np.inf and not cull)):
        return 0, -1
    if not math.isfinite(z0 + z1 + z2) or (perspective and not min(z0, z1, z2) > NEAR):
        return 0, -1
    top, end = _first(min(y0, y1, y2), height), _first(max(y0, y1, y2), height)
    left, right = _first(min(x0, x1, x2), width), _first(max(x0, x1, x2), width)
    if top >= end or left >= right:
        return 0, -1
    top, bottom = top // ROWS, (end - 1) // ROWS
    return (top, bottom) if bottom - top < 2 else (bands, bands)


@_compiled
def _draw_bands(task, tasks, points, faces, perspective, lists, starts, face, weights, depth):
    """Draws every `tasks`-th band of all images, counted through."""
    batch, height, width = face.shape
    bands = starts.shape[2] - 2
    keys = np.empty((ROWS, width), np.int64)
    for count in range(task, batch * bands, tasks):
        image, band = count // bands, count % bands
        rows = band * ROWS, min((band + 1) * ROWS, height)
        corner, listed = points[image], lists[image]
        keys[:] = EMPTY
        for chunk in range(starts.shape[1]):
            for part in (band, bands):
                span = starts[image, chunk, part], starts[image, chunk, part + 1]
                _draw(corner, faces, perspective, listed, span, rows, keys)
        _resolve(corner, faces, perspective, rows, keys, face[image], weights[image], depth[image])


@_compiled
def _draw(corner, faces, perspective, listed, span, rows, keys):
    """Enters the listed faces where they are nearer than what the rows hold so far."""
    width = keys.shape[1]
    first, last = rows
    for k in range(span[0], span[1]):
        f = listed[k]
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, y0, z0 = float(corner[a, 0]), float(corner[a, 1]), float(corner[a, 2])
        x1, y1, z1 = float(corner[b, 0]), float(corner[b, 1]), float(corner[b, 2])
        x2, y2, z2 = float(corner[c, 0]), float(corner[c, 1]), float(corner[c, 2])
        q0, q_x, q_y, area = _plane(x0, y0, z0, x1, y1, z1, x2, y2, z2, perspective)
        q_origin = q0 + (0.5 - x0) * q_x + (0.5 - y0) * q_y
        low = np.int64(MASK - f)  # of equal nearness, the lowest face has the greatest key
        x0, y0, x1, y1, area = _upper_first(x0, y0, x1, y1, area)
        x1, y1, x2, y2, area = _upper_first(x1, y1, x2, y2, area)
        x0, y0, x1, y1, area = _upper_first(x0, y0, x1, y1, area)
        middle = _first(y1, last)
        for row in range(max(_first(y0, last), first), min(_first(y2, last), last)):
            y = row + 0.5
            upper = row < middle
            xa, ya, xb, yb = (x0, y0, x1, y1) if upper else (x1, y1, x2, y2)
            long = x0 + (y - y0) * (x2 - x0) / (y2 - y0)
            short = xa + (y - ya) * (xb - xa) / (yb - ya)
            left, right = (short, long) if area < 0.0 else (long, short)
            begin, end = _first(left, width), min(_first(right, width), width)
            q_row = q_origin + row * q_y
            r = row - first
            for column in range(begin, end):
                key = _key(q_row + column * q_x, low)
                if key > keys[r, column]:
                    keys[r, column] = key


@_compiled
def _key(nearness, low):
    """Orders by nearness first and then by the low bits: a float's bits, made monotone."""
    rounded = np.float32(nearness)
    bits = np.int64(rounded.view(np.int32))
    return ((bits ^ ((bits >> 31) & MASK)) << 32) | low


@_compiled
def _upper_first(x0, y0, x1, y1, area):
    """Two corners in the order of y; a swap turns the face over."""
    return (x1, y1, x0, y0, -area) if y1 < y0 else (x0, y0, x1, y1, area)


@_compiled
def _plane(x0, y0, z0, x1, y1, z1, x2, y2, z2, perspective):
    """Nearness of the first corner, its slopes along the screen, and twice the area.

    Nearness is linear on the screen: 1 / z for perspective, else -z.
    """
    ex1, ey1, ex2, ey2 = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    area = ex1 * ey2 - ex2 * ey1
    if perspective:
        scale = 1.0 / (z0 * z1 * z2 * area)
        d1, d2 = (z0 - z1) * z2 * scale, (z0 - z2) * z1 * scale
        q0 = z1 * z2 * area * scale
    else:
        scale = 1.0 / area
        q0, d1, d2 = -z0, (z0 - z1) * scale, (z0 - z2) * scale
    return q0, d1 * ey2 - d2 * ey1, d2 * ex1 - d1 * ex2, area


@_compiled
def _resolve(corner, faces, perspective, rows, keys, face, weights, depth):
    """Writes rows of the result from the face that each of their pixels holds."""
    x0 = y0 = x1 = y1 = x2 = y2 = 0.0
    z0 = z1 = z2 = q0 = q1 = q2 = 1.0
    for row in range(rows[0], rows[1]):
        y = row + 0.5
        held = EMPTY
        for column in range(face.shape[1]):
            key = keys[row - rows[0], column]
            if key == EMPTY:
                face[row, column] = -1
                weights[row, column, 0] = 0.0
                weights[row, column, 1] = 0.0
                weights[row, column, 2] = 0.0
                depth[row, column] = np.inf
                continue
            f = MASK - (key & MASK)
            face[row, column] = f
            if f != held:
                held = f
                a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                x0, y0, z0 = corner[a, 0], corner[a, 1] - y, float(corner[a, 2])
                x1, y1, z1 = corner[b, 0], corner[b, 1] - y, float(corner[b, 2])
                x2, y2, z2 = corner[c, 0], corner[c, 1] - y, float(corner[c, 2])
                if perspective:
                    q0, q1, q2 = 1.0 / z0, 1.0 / z1, 1.0 / z2
            x = column + 0.5
            w0 = (x1 - x) * y2 - (x2 - x) * y1
            w1 = (x2 - x) * y0 - (x0 - x) * y2
            w2 = (x0 - x) * y1 - (x1 - x) * y0
            if w0 + w1 + w2 < 0.0:
                w0, w1, w2 = -w0, -w1, -w2
            w0, w1, w2 = max(w0, 0.0) * q0, max(w1, 0.0) * q1, max(w2, 0.0) * q2
            scale = 1.0 / (w0 + w1 + w2)
            w0, w1, w2 = w0 * scale, w1 * scale, w2 * scale
            weights[row, column, 0] = w0
            weights[row, column, 1] = w1
            weights[row, column, 2] = w2
            depth[row, column] = w0 * z0 + w1 * z1 + w2 * z2
