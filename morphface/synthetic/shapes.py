"""Surfaces of hair, clothes and glasses, and what is known at their vertices."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.records import Record
from morphface.geometry.mesh import normalized, vertex_normals

__all__ = ["BODY", "EYE", "GLASS", "HAIR", "KINDS", "SKIN", "Part", "lattice", "ribbons", "tube"]

KINDS = SKIN, EYE, HAIR, BODY, GLASS = range(5)
"""What a surface is made of, which says how it shines."""


@dataclass(frozen=True, eq=False)
class Part(Record):
    """A surface in one frame, with all that its pixels are coloured by.

    Args:
        vertices: in millimetres.
        faces: vertex indices.
        colours: albedo.
        normals: of unit length; of hair, those of the whole mass of it.
        kinds: of each vertex, one of `KINDS`.
        open: share of the light from everywhere that reaches each vertex.
        tangents: along the strands of hair.
        places: what patterns of cloth are functions of; the last is how far a point lies below
            the neckline, in millimetres.
    """

    vertices: Float[Tensor, "V 3"]
    faces: Int[Tensor, "F 3"]
    colours: Float[Tensor, "V 3"]
    normals: Float[Tensor, "V 3"]
    kinds: Float[Tensor, " V"]
    open: Float[Tensor, " V"] | None = None
    tangents: Float[Tensor, "V 3"] | None = None
    places: Float[Tensor, "V 3"] | None = None

    @classmethod
    def of(cls, vertices: Tensor, faces: Tensor, colours: Tensor, kind: int, **more: Any) -> "Part":
        """A part of one kind.

        Args:
            vertices: in millimetres.
            faces: vertex indices.
            colours: one for all vertices, or one for each.
            kind: one of `KINDS`.
            more: other fields; normals follow from the faces unless they are given.
        """
        normals = more.pop("normals", None)
        if normals is None:
            normals = vertex_normals(vertices, faces)
        kinds = torch.full((len(vertices),), float(kind))
        return cls(vertices, faces, colours.expand_as(vertices), normals, kinds, **more)

    def moved(self, vertices: Tensor, turn: Tensor) -> "Part":
        """The part elsewhere.

        Args:
            vertices: its new ones.
            turn: rotation matrix that its directions went through.
        """
        tangents = None if self.tangents is None else self.tangents @ turn.mT
        return replace(self, vertices=vertices, normals=self.normals @ turn.mT, tangents=tangents)


def lattice(rows: int, columns: int, *, closed: bool = False) -> Int[Tensor, "F 3"]:
    """Triangles between the nodes of a grid, row by row.

    Args:
        rows: of nodes.
        columns: of nodes.
        closed: whether the last column goes on with the first.
    """
    row = torch.arange(rows - 1)[:, None] * columns
    column = torch.arange(columns if closed else columns - 1)[None]
    after = (column + 1) % columns
    corners = row + column, row + after, row + columns + column, row + columns + after
    upper = torch.stack([corners[0], corners[2], corners[1]], dim=-1)
    lower = torch.stack([corners[1], corners[2], corners[3]], dim=-1)
    return torch.stack([upper, lower], dim=-2).reshape(-1, 3)


def tube(
    path: Float[Tensor, "P 3"], radius: float, *, closed: bool = False, sides: int = 6
) -> tuple[Float[Tensor, "V 3"], Float[Tensor, "V 3"], Int[Tensor, "F 3"]]:
    """Vertices, normals and faces of a tube around a path.

    Args:
        path: its middle.
        radius: in millimetres.
        closed: whether the path goes on with its first point; it is then given twice.
        sides: of the cross-section.
    """
    along = path.roll(-1, 0) - path.roll(1, 0)
    if closed:
        along[0] = along[-1] = path[1] - path[-2]
    else:
        along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    along = normalized(along)
    first = normalized(torch.linalg.cross(along, along.new_tensor([0.1, 0.2, 1.0])[None]))
    second = torch.linalg.cross(along, first)
    angle = torch.arange(sides) * (2 * torch.pi / sides)
    normals = first[:, None] * angle.cos()[:, None] + second[:, None] * angle.sin()[:, None]
    vertices = path[:, None] + radius * normals
    faces = lattice(len(path), sides, closed=True)
    return vertices.reshape(-1, 3), normals.reshape(-1, 3), faces


def ribbons(
    points: Float[Tensor, "N P 3"], width: Float[Tensor, "N P"]
) -> tuple[Float[Tensor, "V 3"], Float[Tensor, "V 3"]]:
    """Strands as bands that face the camera: vertices and tangents, two for each point.

    Args:
        points: along each strand, in the camera frame.
        width: of the band there, in millimetres.
    """
    along = points.new_empty(points.shape)
    along[:, 1:-1] = points[:, 2:] - points[:, :-2]
    along[:, 0], along[:, -1] = points[:, 1] - points[:, 0], points[:, -1] - points[:, -2]
    along = normalized(along)
    side = normalized(torch.linalg.cross(along, points)) * (width / 2)[..., None]
    vertices = torch.stack([points - side, points + side], dim=2)
    return vertices.reshape(-1, 3), along[:, :, None].expand(-1, -1, 2, -1).reshape(-1, 3)
