"""Visibility on a CPU, in numba: parallel over bands of rows and over the batch.

Two passes. `bin_faces` looks at each face once, drops what no pixel centre can see, and lists
the rest by the bands of rows they touch. `draw_bands` then owns whole bands: it scan-converts
their faces into a buffer that stays in the cache, and writes each pixel of the result once.

Scan conversion makes shared edges exact: where an edge crosses a row of pixel centres is
computed from its upper end, by one expression, so both of its faces get the same number, and a
row of a face is the half-open range between two of them. Nothing depends on the number of
threads: bands are disjoint, and of equal depths the lowest face index wins.

Threads are Python's, with kernels that release the interpreter lock. That is safe from any
thread and after a fork, and follows `torch.set_num_threads`, which numba's own layers are not.
"""

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
    threads = max(1, torch.get_num_threads())
    bands = -(-height // ROWS)
    face = np.empty((batch, height, width), np.int64)
    barycentric = np.empty((batch, height, width, 3), np.float32)
    depth = np.empty((batch, height, width), np.float32)
    points = np.ascontiguousarray(screen.numpy(), dtype=np.float32)
    triangles = np.ascontiguousarray(faces.numpy())
    # Per image and chunk of faces: a list for each band and one of faces that touch three or more.
    lists = np.empty((batch, 3 * len(triangles)), np.int32)
    starts = np.empty((batch, threads, bands + 2), np.int64)
    common = (points, triangles, perspective)
    _run(_bin_faces, threads, *common, cull, (height, width), lists, starts)
    _run(_draw_bands, threads, *common, lists, starts, face, barycentric, depth)
    return torch.from_numpy(face), torch.from_numpy(barycentric), torch.from_numpy(depth)


_pool: ThreadPoolExecutor | None = None


def _forget_pool() -> None:
    global _pool
    _pool = None


os.register_at_fork(after_in_child=_forget_pool)


def _run(kernel: Callable[..., None], threads: int, *arguments: Any) -> None:
    """Calls `kernel(thread, threads, ...)` for every thread, the first one on this thread."""
    global _pool
    if threads == 1:
        return kernel(0, 1, *arguments)
    if _pool is None:
        _pool = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="morphface-rasterize")
    others = [_pool.submit(kernel, k, threads, *arguments) for k in range(1, threads)]
    kernel(0, threads, *arguments)
    for other in others:
        other.result()
    return None


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
def _bin_faces(thread, threads, points, faces, perspective, cull, size, lists, starts):  # type: ignore[no-untyped-def]
    """Lists the faces of this thread's chunk by the bands that they touch."""
    height, width = size
    low, high = thread * len(faces) // threads, (thread + 1) * len(faces) // threads
    bands = starts.shape[2] - 2
    top, bottom = np.empty(high - low, np.int32), np.empty(high - low, np.int32)
    count = np.empty(bands + 2, np.int64)
    for image in range(len(points)):
        corner = points[image]
        count[:] = 0
        for f in range(low, high):
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            x0, y0, z0 = float(corner[a, 0]), float(corner[a, 1]), corner[a, 2]
            x1, y1, z1 = float(corner[b, 0]), float(corner[b, 1]), corner[b, 2]
            x2, y2, z2 = float(corner[c, 0]), float(corner[c, 1]), corner[c, 2]
            area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
            top[f - low] = -1
            if not (area < 0.0 or (area > 0.0 and not cull)) or math.isinf(area):
                continue
            if perspective and not min(z0, z1, z2) > NEAR:
                continue
            if not math.isfinite(z0 + z1 + z2):
                continue
            row = _first(min(y0, y1, y2), height)
            last = _first(max(y0, y1, y2), height) - 1
            if last < row or _first(max(x0, x1, x2), width) <= _first(min(x0, x1, x2), width):
                continue
            first_band, last_band = row // ROWS, last // ROWS
            top[f - low], bottom[f - low] = first_band, last_band
            if last_band - first_band > 1:
                count[bands] += 1
            else:
                count[first_band] += 1
                count[last_band] += last_band - first_band
        start = starts[image, thread]
        place = 3 * low
        for band in range(bands + 1):
            start[band] = place
            place += count[band]
            count[band] = start[band]
        start[bands + 1] = place
        for f in range(low, high):
            first_band, last_band = top[f - low], bottom[f - low]
            if first_band < 0:
                continue
            if last_band - first_band > 1:
                first_band, last_band = bands, bands
            for band in range(first_band, last_band + 1):
                lists[image, count[band]] = f
                count[band] += 1


@_compiled
def _draw_bands(thread, threads, points, faces, perspective, lists, starts, face, weights, depth):
    """Draws every `threads`-th band of all images, counted through."""
    batch, height, width = face.shape
    bands = starts.shape[2] - 2
    nearness = np.empty((ROWS, width), np.float32)
    index = np.empty((ROWS, width), np.int32)
    for task in range(thread, batch * bands, threads):
        image, band = task // bands, task % bands
        first, last = band * ROWS, min((band + 1) * ROWS, height)
        nearness[:] = -np.inf
        index[:] = -1
        for chunk in range(starts.shape[1]):
            for part in (band, bands):
                for k in range(starts[image, chunk, part], starts[image, chunk, part + 1]):
                    f = lists[image, k]
                    _draw(points[image], faces, f, perspective, first, last, nearness, index)
        for row in range(first, last):
            _resolve(
                points[image], faces, perspective, row, index[row - first],
                face[image, row], weights[image, row], depth[image, row],
            )  # fmt: skip


@_compiled
def _draw(corner, faces, f, perspective, first, last, nearness, index):
    """Enters face `f` where it is nearer than what the rows from `first` to `last` hold."""
    width = nearness.shape[1]
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    x0, y0, z0 = float(corner[a, 0]), float(corner[a, 1]), float(corner[a, 2])
    x1, y1, z1 = float(corner[b, 0]), float(corner[b, 1]), float(corner[b, 2])
    x2, y2, z2 = float(corner[c, 0]), float(corner[c, 1]), float(corner[c, 2])
    ex1, ey1, ex2, ey2 = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    area = ex1 * ey2 - ex2 * ey1
    # Nearness is linear on the screen: 1 / z for perspective, else -z.
    if perspective:
        q0, q1, q2 = 1.0 / z0, 1.0 / z1, 1.0 / z2
    else:
        q0, q1, q2 = -z0, -z1, -z2
    q_x = ((q1 - q0) * ey2 - (q2 - q0) * ey1) / area
    q_y = ((q2 - q0) * ex1 - (q1 - q0) * ex2) / area
    q_origin = q0 + (0.5 - x0) * q_x + (0.5 - y0) * q_y
    if y1 < y0:
        x0, y0, x1, y1, area = x1, y1, x0, y0, -area
    if y2 < y1:
        x1, y1, x2, y2, area = x2, y2, x1, y1, -area
        if y1 < y0:
            x0, y0, x1, y1, area = x1, y1, x0, y0, -area
    middle = _first(y1, last)
    for row in range(max(_first(y0, last), first), min(_first(y2, last), last)):
        y = row + 0.5
        left = x0 + (y - y0) * (x2 - x0) / (y2 - y0)
        if row < middle:
            right = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
        else:
            right = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
        if area < 0.0:
            left, right = right, left
        q_row = q_origin + row * q_y
        r = row - first
        for column in range(_first(left, width), min(_first(right, width), width)):
            q = np.float32(q_row + column * q_x)
            if q > nearness[r, column] or (q == nearness[r, column] and f < index[r, column]):
                nearness[r, column] = q
                index[r, column] = f


@_compiled
def _resolve(corner, faces, perspective, row, index, face, weights, depth):
    """Writes one row of the result from the face that each of its pixels holds."""
    y = row + 0.5
    held = -1
    x0 = y0 = x1 = y1 = x2 = y2 = 0.0
    z0 = z1 = z2 = q0 = q1 = q2 = 1.0
    for column in range(len(index)):
        f = index[column]
        face[column] = f
        if f < 0:
            weights[column, 0] = weights[column, 1] = weights[column, 2] = 0.0
            depth[column] = np.inf
            continue
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
        weights[column, 0], weights[column, 1], weights[column, 2] = w0, w1, w2
        depth[column] = w0 * z0 + w1 * z1 + w2 * z2
