"""Pictures of three channels on a CPU: visibility, colours and outlines as one operation."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from morphface.geometry.topology import Topology
from morphface.render.backends import NEAR, threads
from morphface.render.backends.cpu import drawn
from morphface.render.backends.differentiable import compiled_gradient
from morphface.render.backends.kernels.paint import paint_gradient
from morphface.render.backends.outline_cpu import Outline, copied

__all__ = ["Task", "painted"]


class Task(NamedTuple):
    """What to draw.

    Args:
        faces: of the mesh.
        topology: of these faces, for outlines; None leaves their steps.
        size: image height and width.
        perspective: as for `rasterize`.
        covered: whether a fourth channel says what the mesh covers.
    """

    faces: Tensor
    topology: Topology | None
    size: tuple[int, int]
    perspective: bool
    covered: bool


def painted(colours: Tensor, screen: Tensor, task: Task) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The picture, and the face, weights and depth of each pixel.

    Args:
        colours: three channels at each vertex.
        screen: positions, none of them before `NEAR` where there is perspective.
        task: the rest.
    """
    image, face, weights, depth = _Painted.apply(colours, screen, task)
    return image, face, weights, depth


class _Painted(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, colours: Tensor, screen: Tensor, task: Task) -> tuple[Tensor, ...]:
        triangles = task.faces.long().contiguous()
        image = screen.new_empty((len(screen), *task.size, 4 if task.covered else 3))
        mesh, perspective = (screen, triangles, colours), task.perspective
        face, weights, depth = drawn(*mesh, image, perspective=perspective)
        ctx.outline = None
        if task.topology is not None:
            near = NEAR if task.perspective else -math.inf
            seen = face, depth
            ctx.outline = Outline.blended(image.numpy(), screen, task.topology, seen, near)
        ctx.save_for_backward(colours, screen, triangles, face, weights)
        ctx.perspective = task.perspective
        ctx.mark_non_differentiable(face)
        ctx.set_materialize_grads(False)
        return image, face, weights, depth

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad: Tensor | None, _: None, to_weights: Tensor | None, to_depth: Tensor | None
    ) -> tuple[Tensor | None, Tensor | None, None]:
        colours, screen, faces, face, weights = ctx.saved_tensors
        found = (None, None) if grad is None else _gradients(ctx, grad)
        moved = found[1]
        if ctx.needs_input_grad[1] and not (to_weights is None and to_depth is None):
            given, seen = (to_weights, to_depth), (faces, face, weights)
            more = compiled_gradient(screen, *seen, given, perspective=ctx.perspective)
            moved = more if moved is None else moved + more
        return found[0], moved, None


def _gradients(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """By colours and by positions, given that by the picture."""
    colours, screen, faces, face, weights = ctx.saved_tensors
    batch, lanes = len(screen), threads.lanes(len(screen))
    sizes = (
        value.shape[1] if ctx.needs_input_grad[k] else 0
        for k, value in enumerate((colours, screen))
    )
    to_colours, to_screen = (screen.new_empty((batch, lanes, size, 3)).numpy() for size in sizes)
    to_screen[:, 0] = 0.0
    above = grad.detach().numpy()
    if ctx.outline is not None:
        above = copied(grad)
        moved = np.zeros((batch, to_screen.shape[2], 3), above.dtype)
        ctx.outline.unblend(above, moved)
        to_screen[:, 0] = moved
    points, triangles, values, *seen = _arrays(screen, faces, colours, face, weights)
    mesh = triangles, values, ctx.perspective
    arrays = points, mesh, tuple(seen), np.ascontiguousarray(above), to_screen, to_colours
    threads.run(paint_gradient, batch * lanes, *arrays)
    by_colours = threads.total(to_colours)
    if len(colours) == 1 < batch:
        by_colours = by_colours.sum(0, keepdim=True)
    wanted = ctx.needs_input_grad
    return by_colours if wanted[0] else None, threads.total(to_screen) if wanted[1] else None


def _arrays(*tensors: Tensor) -> list[Any]:
    return [t.detach().contiguous().numpy() for t in tensors]
