"""Visibility on a CPU, in numba: parallel over bands of rows and over the batch.

Two passes (`kernels/visibility.py`). `bin_faces` looks at each face once, drops what no pixel
centre can see, and lists the rest by the bands of rows they touch. `draw_bands` then owns whole
bands: it draws outer faces first and skips inner ones that lie behind them, in a buffer that
stays in the cache, and writes each pixel of the result once. Nothing depends on the number of
threads: bands are disjoint, and of equal depths the lowest face index wins.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends import threads
from morphface.render.backends.kernels.visibility import ROWS, bin_faces, draw_bands

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
    tasks = threads.split()
    face = torch.empty((batch, height, width), dtype=torch.int64)
    barycentric = torch.empty((batch, height, width, 3), dtype=screen.dtype)
    depth = torch.empty((batch, height, width), dtype=screen.dtype)
    points = screen.contiguous().numpy()
    triangles = faces.long().contiguous().numpy()
    # Lists of faces (see the kernels), and for each image and task where each of them starts.
    listed = np.empty((batch, 3 * len(triangles)), np.int32)
    starts = np.empty((batch, tasks, 2 * -(-height // ROWS) + 2), np.int64)
    common = (points, triangles, perspective)
    threads.run(bin_faces, tasks, *common, cull, (height, width), listed, starts)
    results = face.numpy(), barycentric.numpy(), depth.numpy()
    threads.run(draw_bands, tasks, *common, listed, starts, *results)
    return face, barycentric, depth
