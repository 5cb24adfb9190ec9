"""Visibility on a CPU, in numba: parallel over faces, then over rows, or over the batch.

Two passes (`kernels/visibility.py`). In `draw_share` each thread enters its share of the faces
into a buffer of its own, and `resolve_rows` takes the nearest of all buffers and writes each
pixel of the result once. Where there are as many images as threads, each thread does both for a
whole image. Colours of vertices are blended on the way, where any are given. Nothing depends on
the number of threads, nor on who draws what: of equal depths the lowest face index wins.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.render.backends import threads
from morphface.render.backends.kernels.visibility import draw_images, draw_share, resolve_rows

__all__ = ["drawn", "nearest"]


def nearest(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    size: tuple[int, int],
    *,
    perspective: bool,
    cull: bool,
) -> tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
    """Face index, barycentric weights and depth at every pixel centre."""
    nothing = screen.new_empty((1, 0, 3)), screen.new_empty((len(screen), *size, 0))
    return drawn(screen, faces, *nothing, perspective=perspective, cull=cull)


def drawn(
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    colours: Float[Tensor, "#B V 3"],
    image: Float[Tensor, "B H W C"],
    *,
    perspective: bool,
    cull: bool = False,
) -> tuple[Int[Tensor, "B H W"], Float[Tensor, "B H W 3"], Float[Tensor, "B H W"]]:
    """As `nearest`, and draws colours on the way.

    Args:
        screen: positions of vertices.
        faces: vertex indices.
        colours: at the vertices; without vertices nothing is drawn.
        image: where to; zero on background. A fourth channel says what is covered.
        perspective: as for `rasterize`.
        cull: as for `rasterize`.
    """
    batch, *size = image.shape[:3]
    face = torch.empty((batch, *size), dtype=torch.int64)
    weights, depth = screen.new_empty((batch, *size, 3)), screen.new_empty((batch, *size))
    found = face.numpy(), weights.numpy(), depth.numpy()
    points, values = (t.detach().contiguous().numpy() for t in (screen, colours))
    triangles, out = faces.long().contiguous().numpy(), image.numpy()
    tasks = threads.split()
    workers = threads.workers(max(tasks, batch))
    keys = np.empty((workers, *size), np.int64)
    touched = np.zeros((workers, size[0]), np.bool_)
    if batch >= workers:
        common = points, values, triangles, perspective, cull, keys, touched
        threads.run_by_worker(draw_images, batch, *common, found, out)
        return face, weights, depth
    for k in range(batch):
        touched[:] = False
        corner, value = points[k], values[k if len(values) > 1 else 0]
        threads.run_by_worker(
            draw_share, tasks, corner, triangles, perspective, cull, keys, touched
        )
        mesh, own = (corner, value, triangles, perspective), tuple(item[k] for item in found)
        threads.run(resolve_rows, tasks, mesh, keys, touched, own, out[k])
    return face, weights, depth
