"""The gradient of visibility: one closed form, whichever backend found the faces.

Compiled for tensors on the CPU, plain torch elsewhere.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from morphface.render.backends import threads
from morphface.render.backends.closed_form import weights_and_depth

__all__ = ["compiled_gradient", "differentiable", "plain_gradient"]

Found = tuple[Tensor, Tensor, Tensor]
Given = tuple[Tensor | None, Tensor | None]


def differentiable(
    find: Callable[[Tensor], Found], screen: Tensor, faces: Tensor, *, perspective: bool
) -> Found:
    """What `find` finds on `screen`, with gradients of weights and depth.

    Args:
        find: from positions on the screen to the face, its weights and its depth at each pixel.
        screen: those positions.
        faces: the triangles whose indices it finds.
        perspective: as for `rasterize`.
    """
    face, weights, depth = _Visibility.apply(screen, faces, find, perspective)
    return face, weights, depth


class _Visibility(torch.autograd.Function):
    """Visibility of any backend, with the closed form of its gradient (`kernels/gradient.py`)."""

    @staticmethod
    def forward(
        ctx: Any, screen: Tensor, faces: Tensor, find: Callable[[Tensor], Found], perspective: bool
    ) -> Found:
        face, barycentric, depth = find(screen.detach())
        ctx.save_for_backward(screen, faces, face, barycentric)
        ctx.perspective = perspective
        ctx.mark_non_differentiable(face)
        ctx.set_materialize_grads(False)
        return face, barycentric, depth

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, _: None, to_weights: Tensor | None, to_depth: Tensor | None
    ) -> tuple[Tensor | None, None, None, None]:
        if to_weights is None and to_depth is None:
            return None, None, None, None
        screen, faces, face, weights = ctx.saved_tensors
        gradient = compiled_gradient if screen.device.type == "cpu" else plain_gradient
        given, perspective = (to_weights, to_depth), ctx.perspective
        total = gradient(screen, faces, face, weights, given, perspective=perspective)
        return total, None, None, None


def compiled_gradient(
    screen: Tensor,
    faces: Tensor,
    face: Tensor,
    weights: Tensor,
    given: Given,
    *,
    perspective: bool,
) -> Tensor:
    """The gradient of what came of `weights` and depth with respect to `screen`, in numba.

    Args:
        screen: what was rasterized.
        faces: its triangles.
        face: which of them each pixel sees.
        weights: and where.
        given: the gradients with respect to weights and depth; None where there is none.
        perspective: as it was for `rasterize`.
    """
    from morphface.render.backends.kernels.gradient import screen_gradient

    to_weights, to_depth = given
    to_weights = weights[:0] if to_weights is None else to_weights
    to_depth = weights[:0, ..., 0] if to_depth is None else to_depth
    arrays = [t.contiguous().numpy() for t in (face, weights, to_weights, to_depth)]
    lanes = threads.lanes(len(screen))
    total = np.empty((len(screen), lanes, *screen.shape[1:]), arrays[1].dtype)
    mesh = screen.detach().contiguous().numpy(), faces.long().contiguous().numpy()
    threads.run(screen_gradient, len(screen) * lanes, *mesh, perspective, *arrays, total)
    return threads.total(total)


def plain_gradient(
    screen: Tensor, faces: Tensor, face: Tensor, _: Tensor, given: Given, *, perspective: bool
) -> Tensor:
    """As `compiled_gradient`, by torch through the closed form of weights and depth."""
    leaf = screen.detach().requires_grad_()
    with torch.enable_grad():
        found = weights_and_depth(leaf, faces, face, perspective=perspective)
    pairs = [(f, g) for f, g in zip(found, given, strict=True) if g is not None]
    outputs, grads = zip(*pairs, strict=True)
    return torch.autograd.grad(outputs, leaf, grads)[0]
