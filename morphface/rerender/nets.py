"""Triangles between the nodes of a grid, and values at its nodes."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["Net", "smoothed"]


@dataclass(frozen=True, eq=False)
class Net:
    """Triangles between nodes.

    Args:
        faces: node indices of each, counter-clockwise on a screen whose y points down.
        one_sided: whether those that are folded over are left out.
    """

    faces: Int[Tensor, "F 3"]
    one_sided: bool

    @classmethod
    def of(cls, wanted: Bool[Tensor, "R C"], *, every: bool, one_sided: bool) -> "Net":
        """Two triangles for each cell of which every node, or any, is wanted."""
        rows, columns = wanted.shape
        node = torch.arange(rows * columns).reshape(rows, columns)
        corners = [slice(None, -1), slice(1, None)]
        a, b, c, d = (node[y, x] for y in corners for x in corners)
        chosen = torch.stack([wanted[y, x] for y in corners for x in corners])
        used = chosen.all(0) if every else chosen.any(0)
        halves = torch.stack([torch.stack([a, c, b], -1), torch.stack([b, c, d], -1)], dim=-2)
        return cls(halves[used].reshape(-1, 3), one_sided)


def smoothed(values: Float[Tensor, "R C"]) -> Float[Tensor, "R C"]:
    """Each node half itself, half the mean of its neighbours.

    Args:
        values: at the nodes.
    """
    wide = torch.nn.functional.pad(values[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    beside = wide[2:, 1:-1] + wide[:-2, 1:-1] + wide[1:-1, 2:] + wide[1:-1, :-2]
    return 0.5 * values + 0.125 * beside
