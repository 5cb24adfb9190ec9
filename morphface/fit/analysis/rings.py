"""How the area vector of a vertex changes with its neighbours.

The area vectors of the faces around a vertex add up to a sum of cross products. By the position
of neighbour j it changes as `cross(edge, motion)`, where `edge` is a difference of two vertices:
those beside j around the vertex. What this needs of a mesh's topology is found once.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from morphface.core.records import Record

__all__ = ["Rings", "rings_of"]

_CACHE = WeakTensorKeyDictionary()


@dataclass(frozen=True, eq=False)
class Rings(Record):
    """Pairs of a vertex and a neighbour, sorted by vertex, and the terms of their edges.

    Args:
        pairs: where the pairs of each vertex begin.
        vertex: of each pair.
        neighbour: of each pair.
        terms: where the terms of each pair begin.
        corner: the vertex of each term.
        sign: of each term, 1 or -1 (or a multiple, where a mesh is not a manifold).
    """

    pairs: Int[Tensor, " V+1"]
    vertex: Int[Tensor, " N"]
    neighbour: Int[Tensor, " N"]
    terms: Int[Tensor, " N+1"]
    corner: Int[Tensor, " M"]
    sign: Float[Tensor, " M"]

    def edges(self, shape: Float[Tensor, "V 3"]) -> Float[Tensor, "N 3"]:
        """The edge of every pair."""
        count = self.terms.diff()
        pair = torch.repeat_interleave(torch.arange(len(count), device=count.device), count)
        signed = self.sign[:, None].to(shape) * shape[self.corner]
        return shape.new_zeros(len(count), 3).index_add_(0, pair, signed)


def rings_of(faces: Int[Tensor, "F 3"], size: int) -> Rings:
    """The rings of a mesh of `size` vertices, found on the first call."""
    if faces not in _CACHE:
        _CACHE[faces] = _find(faces.cpu().numpy().astype(np.int64), size)
    rings: Rings = _CACHE[faces].to(faces.device)
    return rings


def _find(faces: np.ndarray, size: int) -> Rings:
    """Each face adds, for each of its vertices v and each corner j, what lies before j less
    what lies after it. Terms that cancel are dropped.
    """
    before, after = np.roll(faces, 1, axis=1), np.roll(faces, -1, axis=1)
    vertex = np.repeat(faces[:, :, None], 3, axis=2).ravel()
    neighbour = np.repeat(faces[:, None, :], 3, axis=1).ravel()
    ends = [np.repeat(end[:, None, :], 3, axis=1).ravel() for end in (before, after)]
    pair = np.tile(vertex * size + neighbour, 2)
    sign = np.repeat([1, -1], len(vertex))
    order = np.lexsort((np.concatenate(ends), pair))
    pair, corner, sign = pair[order], np.concatenate(ends)[order], sign[order]
    fresh = np.r_[True, (np.diff(pair) != 0) | (np.diff(corner) != 0)]
    where = np.flatnonzero(fresh)
    total = np.add.reduceat(sign, where) if len(where) else sign
    kept = where[total != 0]
    pairs, starts = np.unique(pair[kept], return_index=True)

    def integers(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.int64))

    return Rings(
        pairs=integers(np.searchsorted(pairs // size, np.arange(size + 1))),
        vertex=integers(pairs // size),
        neighbour=integers(pairs % size),
        terms=integers(np.r_[starts, len(kept)]),
        corner=integers(corner[kept]),
        sign=torch.from_numpy(total[total != 0].astype(np.float32)),
    )
