"""A model's mesh with its edges halved: the same surface, with room for finer colours."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.kept import once_each
from morphface.core.records import Record
from morphface.geometry.children import child_points
from morphface.geometry.mesh import midpoint_subdivision
from morphface.models.morphable import MorphableModel

__all__ = ["FineMesh", "fine_mesh"]

_SPACING = 2.0
"""Millimetres between neighbours that colours of brows, lashes and wrinkles need at least."""


@dataclass(frozen=True, eq=False)
class FineMesh(Record):
    """A mesh whose edges were halved so many times.

    Args:
        faces: face f of the model became 4^n of them from 4^n f on, for n levels.
        size: number of vertices; the model's come first, in their order.
        levels: for each, the two vertices that each midpoint is between.
    """

    faces: Int[Tensor, "N 3"]
    size: int
    levels: tuple[Int[Tensor, "E 2"], ...]

    def spread(self, values: Float[Tensor, "*batch V C"]) -> Float[Tensor, "*batch W C"]:
        """Values at the vertices of the model, blended linearly between them."""
        for pairs in self.levels:
            ends = values[..., pairs[:, 0], :], values[..., pairs[:, 1], :]
            values = torch.cat([values, torch.lerp(*ends, 0.5)], dim=-2)
        return values

    def locate(
        self, face: Int[Tensor, "*batch"], weights: Float[Tensor, "*batch 3"]
    ) -> tuple[Int[Tensor, "*batch"], Float[Tensor, "*batch 3"]]:
        """Points of the model's faces on the faces of this mesh.

        Args:
            face: of the model, for each point; negative ones stay.
            weights: barycentric ones.
        """
        for _ in self.levels:
            face, weights = child_points(face, weights)
        return face, weights


@once_each
def fine_mesh(model: MorphableModel) -> FineMesh:
    """The mesh of a model, halved until its face is fine enough for brows and lashes.

    Args:
        model: any; one that is fine already is left as it is.
    """
    long = _spacing(model)
    faces, size, levels = model.faces, model.size, []
    for _ in range(max(0, math.ceil(math.log2(long / _SPACING)))):
        faces, weights = midpoint_subdivision(faces, size)
        ends = weights.matrix.indices()[1, size:].view(-1, 2)
        levels.append(ends)
        size += len(ends)
    return FineMesh(faces, size, tuple(levels))


def _spacing(model: MorphableModel) -> float:
    """Between neighbours, in millimetres, over half of the front's area."""
    corners = model.identity.mean[model.faces]
    ahead = corners[:, :, 2].mean(dim=1)
    corners = corners[ahead > ahead.median()]
    sides = corners[:, 1:] - corners[:, :1]
    area = torch.linalg.cross(sides[:, 0], sides[:, 1]).norm(dim=-1).sort().values / 2
    half = area[torch.searchsorted(area.cumsum(0), area.sum() / 2).clamp(max=len(area) - 1)]
    return max(math.sqrt(float(half) * 4 / math.sqrt(3)), 1e-3)
