"""Anti-aliasing on a CPU: the compiled kernels as an operation with a gradient."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from morphface.geometry.topology import Topology
from morphface.render.backends import threads
from morphface.render.backends.kernels.outline import blend, mark, trace, unblend

__all__ = ["Outline", "copied", "smooth"]

LITTLE = {mark: 50_000, trace: 1_000, blend: 20_000, unblend: 20_000}
"""Edges or pairs that one thread has done before another one has woken up."""


def smooth(*arguments: Any) -> Float[Tensor, "B H W C"]:
    """What `outline.smooth` does, for the same arguments."""
    smoothed: Tensor = _Smooth.apply(*arguments)
    return smoothed


class _Smooth(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        image: Tensor,
        screen: Tensor,
        topology: Topology,
        fragments: tuple[Tensor, Tensor],
        near: float,
    ) -> Tensor:
        out = copied(image)
        ctx.outline = Outline.blended(out, screen, topology, fragments, near)
        ctx.screen = screen.shape, screen.detach().numpy().dtype
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        out = copied(grad)
        (batch, vertices, _), dtype = ctx.screen
        wanted = ctx.needs_input_grad[1]
        moved = np.zeros((batch, vertices if wanted else 0, 3), dtype)
        ctx.outline.unblend(out, moved)
        found = torch.from_numpy(moved) if wanted else None
        return torch.from_numpy(out), found, None, None, None


class Outline(NamedTuple):
    """What was blended: where the pairs of each image and axis begin, and what `trace` found."""

    starts: np.ndarray
    pixels: np.ndarray
    ends: np.ndarray
    amounts: np.ndarray
    difference: np.ndarray

    @classmethod
    def blended(
        cls,
        image: np.ndarray,
        screen: Tensor,
        topology: Topology,
        fragments: tuple[Tensor, Tensor],
        near: float,
    ) -> "Outline":
        """Blends `image` in place, and says what was blended."""
        starts, pixels, ends, amounts = _pairs(screen, topology, fragments, near)
        difference = np.empty((len(pixels), image.shape[-1]), image.dtype)
        rows = _rows(image)
        _run(blend, len(pixels), len(image), starts, pixels, amounts, rows, difference)
        return cls(starts, pixels, ends, amounts, difference)

    def unblend(self, grad: np.ndarray, moved: np.ndarray) -> None:
        """Turns `grad` into that of the image that was given, in place; adds to `moved`.

        Args:
            grad: the gradient with respect to the blended image.
            moved: with respect to positions; without vertices it is not wanted.
        """
        _run(unblend, len(self.pixels), len(grad), *self, _rows(grad), moved)


def _pairs(
    screen: Tensor, topology: Topology, fragments: tuple[Tensor, Tensor], near: float
) -> tuple[np.ndarray, ...]:
    """Neighbouring pixels that are blended, in the order of image, axis and place.

    Returns where each image and axis begins, and what `trace` finds.
    """
    face, depth, points = (np.ascontiguousarray(item.numpy()) for item in (*fragments, screen))
    batch, height, width = face.shape
    marks = np.zeros((batch, 2, height, width), np.uint8)
    tasks, edges = threads.split(), batch * len(topology.edges)
    _run(mark, edges, tasks, points, topology.edges.numpy(), face, marks)
    spots = np.flatnonzero(marks.view(np.bool_))
    pixels, ends = (np.empty((len(spots), 2), np.int64) for _ in range(2))
    amounts = np.empty((len(spots), 5))
    surface = topology.faces.numpy(), topology.ring.numpy()
    given = points, surface, near, (face, depth), spots
    _run(trace, len(spots), tasks, *given, pixels, ends, amounts)
    starts = np.searchsorted(spots, np.arange(2 * batch + 1) * (height * width))
    return starts, pixels, ends, amounts


def copied(image: Tensor) -> np.ndarray:
    """A copy by numpy, as torch would wake threads of its own, which then slow down the kernels'.

    Args:
        image: or its gradient.
    """
    return np.array(image.detach().numpy(), order="C")


def _rows(image: np.ndarray) -> np.ndarray:
    """The same memory as rows of channels."""
    return image.reshape(math.prod(image.shape[:3]), image.shape[3])


def _run(kernel: Callable[..., None], work: int, tasks: int, *arguments: Any) -> None:
    threads.run(kernel, tasks if work > LITTLE[kernel] else 1, *arguments)
