"""Which faces meet at each edge of a mesh.

Computed once for a mesh, whatever its shape: closed surfaces, boundaries, and edges at which more
than two faces meet.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record

__all__ = ["Topology"]


@dataclass(frozen=True, eq=False)
class Topology(Record):
    """The edges of a mesh, and the faces around each.

    Side k of face f runs from its corner k to the next one, and has the number 3 f + k.

    Args:
        faces: vertex indices of each triangle.
        ring: for each side of each face, the number of the side of the next face at the same
            edge. Following it leads through all faces of the edge and back; a side that no other
            face shares names itself.
        edges: each edge once: its two vertices, the lower first, then the vertices opposite to it
            in its two faces; -1 for both where it has not exactly two.
        size: the number of vertices that there must be at least.
    """

    faces: Int[Tensor, "F 3"]
    ring: Int[Tensor, "F 3"]
    edges: Int[Tensor, "E 4"]
    size: int

    @classmethod
    def of(cls, faces: Int[Tensor, "F 3"]) -> "Topology":
        """The topology of `faces`; a face that names a vertex twice is no neighbour of any.

        Raises:
            ShapeError: `faces` lacks the axes above.
            ParameterError: an index is negative.
        """
        check_shape("faces", faces, None, 3)
        if faces.ndim != 2:
            raise ShapeError(f"faces must have 2 axes, got {faces.ndim}")
        if faces.numel() and int(faces.min()) < 0:
            raise ParameterError(f"faces must not be negative, got an index of {int(faces.min())}")
        faces = faces.contiguous()
        side, first, count = _grouped(faces.long())
        last = first + count - 1
        follower = torch.arange(1, len(side) + 1, device=faces.device)
        follower[last] = first
        ring = torch.arange(faces.numel(), device=faces.device)
        ring[side] = side[follower]
        edges = _edges(faces.long().flatten(), side[first], side[last], count == 2)
        size = int(faces.max()) + 1 if faces.numel() else 0
        return cls(faces.int(), ring.int().reshape(-1, 3), edges.int(), size)


def _grouped(faces: Int[Tensor, "F 3"]) -> tuple[Tensor, Tensor, Tensor]:
    """Sides in the order of their edges; where each edge begins, and how many sides it has."""
    ends = torch.stack([faces, faces.roll(-1, dims=1)], dim=-1)
    proper = (ends[..., 0] != ends[..., 1]).all(1)
    side = torch.nonzero(proper.repeat_interleave(3))[:, 0]
    low, high = ends.reshape(-1, 2)[side].aminmax(dim=1)
    size = high.max() + 1 if len(side) else 1
    key, order = (low * size + high).sort(stable=True)
    count = torch.unique_consecutive(key, return_counts=True)[1]
    return side[order], count.cumsum(0) - count, count


def _edges(corner: Tensor, one: Tensor, other: Tensor, inner: Tensor) -> Int[Tensor, "E 4"]:
    """Edges from the first and the last side of each; `corner` is flat, and so 3 f + k."""
    start, end = corner[one], corner[one - one % 3 + (one + 1) % 3]
    opposite = (corner[k - k % 3 + (k + 2) % 3].where(inner, -1) for k in (one, other))
    return torch.stack([torch.minimum(start, end), torch.maximum(start, end), *opposite], dim=1)
