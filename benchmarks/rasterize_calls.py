"""What the rasterizer's benchmark draws: heads at several densities, forward and backward."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from benchmarks.peers_rasterize import Call, Scene
from morphface.geometry.mesh import loop_subdivision
from morphface.geometry.topology import Topology
from morphface.models import load_model
from morphface.render import interpolate, paint, rasterize
from morphface.render.antialias import antialias

__all__ = ["backward", "forward", "heads", "small_scene", "sphere"]

SPHERE = (144, 288)  # of vertices, 41,472 in all
FACES = {"35k": 73_844, "53k": 106_664}  # of models in use: BFM without its neck, and with it


def heads(names: Iterable[str]) -> dict[str, tuple[Tensor, Tensor]]:
    """The open head, coarse and fine, its front at the densities of other models, and a sphere."""
    found = {}
    for name in names:
        if name == "sphere":
            found[name] = sphere(*SPHERE)
            continue
        model = load_model("open-head", detail="standard" if name == "5k" else "high")
        mesh = model.identity.mean, model.faces
        found[name] = finer_front(*mesh, FACES[name]) if name in FACES else mesh
    return found


def sphere(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """A sphere of 100 mm by latitude and longitude, whose faces at the poles are slivers.

    Args:
        rows: of vertices, from pole to pole.
        columns: of vertices.
    """
    down = torch.linspace(0, math.pi, rows)[:, None]
    around = torch.arange(columns) * (2 * math.pi / columns)
    x, z = down.sin() * around.sin(), down.sin() * around.cos()
    vertices = 100 * torch.stack([x, down.cos().expand_as(x), z], dim=-1).flatten(0, 1)
    upper = torch.arange(rows - 1)[:, None] * columns
    left = torch.arange(columns)
    right = (left + 1) % columns
    a, b, c, d = upper + left, upper + right, upper + columns + left, upper + columns + right
    halves = [torch.stack([a, c, b], dim=-1), torch.stack([b, c, d], dim=-1)]
    return vertices, torch.cat([half.flatten(0, 1) for half in halves])


def finer_front(vertices: Tensor, faces: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The faces furthest to the front, subdivided once into `count` of them."""
    order = vertices[faces].mean(1)[:, 2].argsort(descending=True)
    used, front = torch.unique(faces[order[: count // 4]], return_inverse=True)
    fine, weights = loop_subdivision(front.reshape(-1, 3), len(used))
    return weights.apply(vertices[used]), fine


def small_scene() -> Scene:
    """One triangle: enough to compile everything."""
    screen = torch.tensor([[[1.0, 1.0, 300.0], [15.0, 2.0, 310.0], [3.0, 14.0, 320.0]]])
    upstream = torch.ones(1, 16, 16, 3)
    return Scene(screen[0], torch.tensor([[0, 1, 2]]), screen[0], screen, 1.0, 16, upstream)


def forward(scene: Scene, batch: int) -> Call:
    """Visibility of `batch` heads."""
    screen = scene.screen.repeat(batch, 1, 1)
    return lambda: rasterize(screen, scene.faces, (scene.side, scene.side))


def backward(scene: Scene, batch: int, *, painted: bool = True, apart: bool = False) -> Call:
    """Pictures of `batch` heads, and their gradient.

    Args:
        scene: a head.
        batch: how many times.
        painted: whether the gradient by colours is asked for too.
        apart: `rasterize`, `interpolate` and `antialias` one by one, in place of `paint`.
    """
    positions, values = scene.screen.repeat(batch, 1, 1), scene.colours[None].repeat(batch, 1, 1)
    upstream = scene.upstream.repeat(batch, 1, 1, 1)
    topology, size = Topology.of(scene.faces), (scene.side, scene.side)

    def call() -> Tensor:
        screen = positions.detach().requires_grad_()
        colours = values.detach().requires_grad_(painted)
        if apart:
            fragments = rasterize(screen, scene.faces, size)
            image = interpolate(colours, scene.faces, fragments)
            image = antialias(image, screen, scene.faces, fragments, topology=topology)
        else:
            image, _ = paint(colours, screen, scene.faces, size, topology=topology)
        image.backward(upstream)
        return screen.grad

    return call
