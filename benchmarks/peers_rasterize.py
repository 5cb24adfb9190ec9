"""The peers of `bench_rasterize`: each is a function from a scene to calls that can be timed.

A peer that is not installed, or cannot start, raises `Absent` with a sentence that says so.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from morphface.geometry.camera import Camera
from morphface.render import rasterize

COVER = 0.35  # of the image, as in published comparisons

Call = Callable[[], Any]


class Absent(Exception):
    """A peer cannot run here."""


@dataclass
class Scene:
    """A head before a camera, and what flows back from its picture.

    Args:
        points: vertices in the camera frame.
        faces: of the head.
        colours: at its vertices.
        screen: where `points` are seen.
        focal: length in pixels.
        side: of the square image in pixels.
        upstream: gradient of some loss by the picture.
    """

    points: Tensor
    faces: Tensor
    colours: Tensor
    screen: Tensor
    focal: float
    side: int
    upstream: Tensor

    @classmethod
    def of(cls, vertices: Tensor, faces: Tensor, side: int) -> "Scene":
        """The head at 800 mm, with the focal length at which it covers `COVER` of the image."""
        middle = (vertices.amin(0) + vertices.amax(0)) / 2
        points = vertices - middle + torch.tensor([0.0, 0.0, -800.0])
        focal = 2.0 * side
        for _ in range(8):
            screen = Camera.facing((side, side), focal=focal).project(points[None])
            covered = rasterize(screen, faces, (side, side)).mask.float().mean().item()
            focal *= (COVER / covered) ** 0.5
        screen = Camera.facing((side, side), focal=focal).project(points[None])
        colours = (vertices - vertices.amin(0)) / (vertices.amax(0) - vertices.amin(0))
        rng = torch.Generator().manual_seed(0)
        upstream = torch.randn(1, side, side, 3, generator=rng)
        return cls(points, faces, colours, screen, focal, side, upstream)


@numba.njit(nogil=True, error_model="numpy")
def zbuffer(screen, faces, first, last, face, weights, depth):
    """The loop that everybody writes, on the rows from `first` to `last`.

    Every face in turn, three edge functions at each pixel centre of its bounding box.
    """
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


def plain_loop(scene: Scene) -> Call:
    """`zbuffer` with the rows of the image split among as many threads as torch may use."""
    threads, side = torch.get_num_threads(), scene.side
    points, triangles = scene.screen[0].numpy(), scene.faces.numpy()
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


def embree(scene: Scene) -> dict[str, Call]:
    """One primary ray a pixel, forward only: the hierarchy is built before the clock starts.

    Its second call splits the rays among as many threads as torch may use.
    """
    if find_spec("embreex") is None:
        raise Absent("Embree: pip install embreex")
    tree = import_module("embreex.rtcore_scene").EmbreeScene()
    corners = scene.points.numpy().astype(np.float32), scene.faces.numpy().astype(np.int32)
    import_module("embreex.mesh_construction").TriangleMesh(tree, *corners)
    steps = (np.arange(scene.side) + 0.5 - scene.side / 2) / scene.focal
    x, y = np.meshgrid(steps, -steps)
    rays = np.stack([x, y, -np.ones_like(x)], axis=-1).reshape(-1, 3).astype(np.float32)
    start = np.zeros_like(rays)
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads)
    parts = list(zip(np.array_split(start, threads), np.array_split(rays, threads), strict=True))

    def whole() -> np.ndarray:
        return tree.run(start, rays)

    def split() -> np.ndarray:
        return np.concatenate(list(pool.map(lambda part: tree.run(*part), parts)))

    whole()
    return {"embree": whole, "embree_threads": split}


def drtk(scene: Scene) -> dict[str, Call]:
    """`rasterize` and `render` of Meta's DRTK on the CPU: face, depth and weights of each pixel."""
    missing = "DRTK: build it from facebookresearch/DRTK; `drtk` on PyPI is not theirs"
    if find_spec("drtk") is None:
        raise Absent(missing)
    try:
        peer = import_module("drtk")
        draw, weigh = peer.rasterize, peer.render
    except (ImportError, AttributeError) as error:
        raise Absent(f"{missing} ({error})") from error
    screen, faces = scene.screen.contiguous(), scene.faces.int().contiguous()
    size = {"height": scene.side, "width": scene.side}
    call = lambda: weigh(screen, faces, draw(screen, faces, **size))  # noqa: E731
    call()
    return {"drtk": call}


def mitsuba(scene: Scene) -> dict[str, Call]:
    """`direct_projective`, one sample a pixel, to the vertex positions, on torch's threads."""
    if find_spec("mitsuba") is None:
        raise Absent("Mitsuba: pip install mitsuba, and set DRJIT_LIBLLVM_PATH to LLVM 19 or later")
    mi, dr = import_module("mitsuba"), import_module("drjit")
    try:
        mi.set_variant("llvm_ad_rgb")
        dr.set_thread_count(torch.get_num_threads())
        stage = mi.load_dict(_stage(mi, scene))
        dr.eval(mi.render(stage, spp=1))
    except Exception as error:
        raise Absent(f"Mitsuba cannot start: {str(error).strip().splitlines()[0]}") from error
    parameters = mi.traverse(stage)
    key = next(name for name in parameters.keys() if name.endswith("vertex_positions"))  # noqa: SIM118
    upstream = mi.TensorXf(scene.upstream[0].numpy())

    def forward() -> None:
        dr.eval(mi.render(stage, spp=1))
        dr.sync_thread()

    def both() -> np.ndarray:
        dr.enable_grad(parameters[key])
        image = mi.render(stage, parameters, spp=1)
        dr.backward(dr.sum(image * upstream, axis=None))
        gradient = dr.grad(parameters[key])
        dr.eval(gradient)
        dr.sync_thread()
        return gradient.numpy()

    if not np.abs(both()).sum() > 0:
        raise Absent("Mitsuba returns no gradient")
    return {"mitsuba": forward, "mitsuba_backward": both}


def _stage(mi: Any, scene: Scene) -> dict[str, Any]:
    settings = mi.Properties()
    colour = {"type": "mesh_attribute", "name": "vertex_color"}
    settings["bsdf"] = mi.load_dict(
        {"type": "twosided", "inner": {"type": "diffuse", "reflectance": colour}}
    )
    mesh = mi.Mesh("head", len(scene.points), len(scene.faces), props=settings)
    mesh.add_attribute("vertex_color", 3, scene.colours.numpy().ravel())
    content = mi.traverse(mesh)
    content["vertex_positions"] = scene.points.numpy().ravel()
    content["faces"] = scene.faces.numpy().astype(np.uint32).ravel()
    content.update()
    view = mi.ScalarTransform4f().look_at(origin=[0, 0, 0], target=[0, 0, -1], up=[0, 1, 0])
    film = {"width": scene.side, "height": scene.side, "rfilter": {"type": "box"}}
    sensor = {
        "type": "perspective",
        "fov": float(np.degrees(2 * np.arctan(scene.side / 2 / scene.focal))),
        "to_world": view,
        "film": {"type": "hdrfilm", **film},
    }
    integrator = {"type": "direct_projective"}
    light = {"type": "constant"}
    return {"type": "scene", "i": integrator, "s": sensor, "l": light, "m": mesh}


def pytorch3d(scene: Scene) -> dict[str, Call]:
    """Its mesh rasterizer on the CPU, which tests every face against every pixel."""
    if find_spec("pytorch3d") is None:
        raise Absent("PyTorch3D: build it from its source (see `morphface doctor`)")
    try:
        meshes = import_module("pytorch3d.structures").Meshes
        draw = import_module("pytorch3d.renderer.mesh.rasterize_meshes").rasterize_meshes
    except ImportError as error:
        raise Absent(f"PyTorch3D cannot be imported: {error}") from error
    turned = torch.tensor([-2.0 / scene.side, -2.0 / scene.side, 1.0])
    ndc = scene.screen[0] * turned + torch.tensor([1.0, 1.0, 0.0])
    corners = scene.colours[scene.faces]

    def render(points: Tensor) -> Tensor:
        face, _, weights, _ = draw(
            meshes([points], [scene.faces]),
            image_size=(scene.side, scene.side),
            faces_per_pixel=1,
            perspective_correct=True,
        )
        values = corners[face[..., 0].clamp(min=0)]
        seen = face >= 0
        return (weights[..., 0, :, None] * values).sum(-2) * seen

    def both() -> Tensor:
        points = ndc.clone().requires_grad_()
        render(points).backward(scene.upstream)
        return points.grad

    return {"pytorch3d": lambda: render(ndc), "pytorch3d_backward": both}
