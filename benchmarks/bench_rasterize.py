"""How fast is visibility on a CPU, beside the plain z-buffer loop that everybody writes?

    python -m benchmarks.bench_rasterize

The baseline takes every face in turn, tests each pixel centre of its bounding box with three
edge functions, and keeps the nearest: same triangles, same results (face, weights, depth), one
thread, compiled by numba without tricks. "baseline_mt" is that loop with the rows of the image
split among as many threads as the backend may use.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import torch
from torch import Tensor

from benchmarks.common import measure, report, seed
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import loop_subdivision
from morphface.models import load_model
from morphface.render import rasterize

COVER = 0.35  # of the image, as in published comparisons


@numba.njit(nogil=True, error_model="numpy")
def zbuffer(screen, faces, first, last, face, weights, depth):
    """The plain loop, on the rows from `first` to `last`."""
    width = face.shape[1]
    for row in range(first, last):
        for column in range(width):
            face[row, column] = -1
            depth[row, column] = np.inf
            for k in range(3):
                weights[row, column, k] = 0.0
    for f in range(len(faces)):
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        # Numbers, not rows of the array: counted references would make threads wait.
        a = screen[i, 0], screen[i, 1], screen[i, 2]
        b = screen[j, 0], screen[j, 1], screen[j, 2]
        c = screen[k, 0], screen[k, 1], screen[k, 2]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0.0:
            continue
        left = max(int(np.floor(min(a[0], b[0], c[0]))), 0)
        right = min(int(np.ceil(max(a[0], b[0], c[0]))), width)
        top = max(int(np.floor(min(a[1], b[1], c[1]))), first)
        bottom = min(int(np.ceil(max(a[1], b[1], c[1]))), last)
        for row in range(top, bottom):
            for column in range(left, right):
                x, y = column + np.float32(0.5), row + np.float32(0.5)
                w0 = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
                w1 = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
                w2 = ((a[0] - x) * (b[1] - y) - (a[1] - y) * (b[0] - x)) / area
                if w0 >= 0 and w1 >= 0 and w2 >= 0:
                    z = 1 / (w0 / a[2] + w1 / b[2] + w2 / c[2])
                    if z < depth[row, column]:
                        depth[row, column] = z
                        face[row, column] = f
                        weights[row, column, 0] = w0 * z / a[2]
                        weights[row, column, 1] = w1 * z / b[2]
                        weights[row, column, 2] = w2 * z / c[2]


def baseline(screen: Tensor, faces: Tensor, side: int, threads: int) -> Callable[[], np.ndarray]:
    """A call of the plain loop on `threads` bands of rows."""
    points, triangles = screen[0].numpy(), faces.numpy()
    pool = ThreadPoolExecutor(threads)
    bounds = [side * k // threads for k in range(threads + 1)]

    def call() -> np.ndarray:
        face = torch.empty((side, side), dtype=torch.int64).numpy()
        out = face, torch.empty((side, side, 3)).numpy(), torch.empty((side, side)).numpy()
        bands = zip(bounds[:-1], bounds[1:], strict=True)
        jobs = [pool.submit(zbuffer, points, triangles, *band, *out) for band in bands]
        for job in jobs:
            job.result()
        return face

    return call


def heads() -> dict[str, tuple[Tensor, Tensor]]:
    """The open head, and its front at the densities of models in use (BFM without a neck)."""
    low, high = load_model(), load_model("open-head", detail="high")
    return {
        "9k": finer_front(low.identity.mean, low.faces, 18_461),
        "20k": (high.identity.mean, high.faces),
        "35k": finer_front(high.identity.mean, high.faces, 73_844),
    }


def finer_front(vertices: Tensor, faces: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The faces furthest to the front, subdivided once into `count` of them."""
    order = vertices[faces].mean(1)[:, 2].argsort(descending=True)
    used, front = torch.unique(faces[order[: count // 4]], return_inverse=True)
    fine, weights = loop_subdivision(front.reshape(-1, 3), len(used))
    return weights.apply(vertices[used]), fine


def framed(vertices: Tensor, faces: Tensor, side: int) -> Tensor:
    """Screen positions at which the head covers `COVER` of a square image."""
    middle = (vertices.amin(0) + vertices.amax(0)) / 2
    points = (vertices - middle + torch.tensor([0.0, 0.0, -800.0]))[None]
    focal = 2.0 * side
    for _ in range(8):
        screen = Camera.facing((side, side), focal=focal).project(points)
        covered = rasterize(screen, faces, (side, side)).mask.float().mean().item()
        focal *= (COVER / covered) ** 0.5
    return screen


def case(name: str, vertices: Tensor, faces: Tensor, side: int) -> dict[str, object]:
    """Ours and the baseline, taking turns on one mesh at one size."""
    screen = framed(vertices, faces, side)
    threads = torch.get_num_threads()
    plain = baseline(screen, faces, side, 1)
    fragments = rasterize(screen, faces, (side, side))
    agree = float((torch.from_numpy(plain()) == fragments.face[0]).float().mean())
    calls = {
        "cpu": lambda: rasterize(screen, faces, (side, side)),
        "baseline": plain,
        "baseline_mt": baseline(screen, faces, side, threads),
    }
    times = measure(calls, runs=30)
    return {
        "case": f"{name}@{side}",
        "vertices": len(vertices),
        "faces": len(faces),
        "covered": round(float(fragments.mask.float().mean()), 3),
        "agreement": round(agree, 5),
        **times,
        "ratio": round(times["baseline"]["median_ms"] / times["cpu"]["median_ms"], 2),
        "ratio_mt": round(times["baseline_mt"]["median_ms"] / times["cpu"]["median_ms"], 2),
    }


if __name__ == "__main__":
    seed()
    found = heads()
    sizes = [("9k", 256), ("20k", 512), ("35k", 512)]
    report("rasterize", [case(name, *found[name], side) for name, side in sizes])
