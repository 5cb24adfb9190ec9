"""Visibility on a CPU, in numba: parallel over faces, then over rows, or over the batch.

Two passes (`kernels/visibility.py`). In `draw_share` each thread enters its share of the faces
into a buffer of its own, and `resolve_rows` takes the nearest of all buffers and writes each
pixel of the result once. Where there are as many images as threads, each thread does both for a
whole image. Nothing depends on the number of threads, nor on who draws what: of equal depths the
lowest face index wins.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends import threads
from morphface.render.backends.kernels.visibility import draw_images, draw_share, resolve_rows

__all__ = ["nearest"]


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
    face = torch.empty((batch, height, width), dtype=torch.int64)
    barycentric = torch.empty((batch, height, width, 3), dtype=screen.dtype)
    depth = torch.empty((batch, height, width), dtype=screen.dtype)
    results = face.numpy(), barycentric.numpy(), depth.numpy()
    points, triangles = screen.contiguous().numpy(), faces.long().contiguous().numpy()
    tasks = threads.split()
    workers = threads.workers(max(tasks, batch))
    keys = np.empty((workers, height, width), np.int64)
    touched = np.zeros((workers, height), np.bool_)
    if batch >= workers:
        common = points, triangles, perspective, cull, keys, touched
        threads.run_by_worker(draw_images, batch, *common, *results)
        return face, barycentric, depth
    for image in range(batch):
        touched[:] = False
        mesh = points[image], triangles, perspective
        threads.run_by_worker(draw_share, tasks, *mesh, cull, keys, touched)
        threads.run(resolve_rows, tasks, *mesh, keys, touched, *(item[image] for item in results))
    return face, barycentric, depth
