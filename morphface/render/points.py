"""Where some points of a mesh are in two pictures, and how what is around each of them turns.

Key points with Jacobians as of the first-order motion model (Siarohin et al. 2019), without a
network that finds them: vertices that are projected, and for each the affine map between the
ring of its neighbours in both pictures, in closed form.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.geometry.mesh import vertex_normals
from morphface.models import MorphableModel

__all__ = ["NUMBERS", "KeyVertices", "affine_maps", "key_vertices", "points_between"]

NUMBERS = 8
"""Of a point: x, y in the target, x, y in the source, and four of the map between."""
_FACING, _REACH = 0.5, 100.0
"""Share of a normal that points forward, and millimetres from the tip of the nose, within which a
vertex is of the face's front."""
_HIDDEN = ("mouth", "teeth", "tongue", "eyes")
_FIRM = 1e-3
"""Of the spread of a ring: what is added along each direction, so that rings seen edge-on do not
stretch without end."""


@dataclass(frozen=True, eq=False)
class KeyVertices:
    """Vertices of a model, and the ring around each.

    Args:
        index: of the vertices.
        ring: their neighbours; where there are fewer, the vertex itself.
    """

    index: Int[Tensor, " K"]
    ring: Int[Tensor, "K R"]


@lru_cache(maxsize=8)
def key_vertices(model: MorphableModel, count: int) -> KeyVertices:
    """Vertices spread over the front of the face, the tip of the nose first.

    Args:
        model: of the head.
        count: how many; each next one is the farthest from all before.

    Raises:
        ParameterError: the front has fewer.
    """
    mean = model.identity.mean
    front = vertex_normals(mean[None], model.faces)[0, :, 2] > _FACING
    for name in _HIDDEN:
        if name in model.regions:
            front = front & (model.regions[name] < 0.5)
    tip = torch.where(front, mean[:, 2], -torch.inf).argmax()
    front = front & ((mean - mean[tip]).norm(dim=1) < _REACH)
    places = torch.nonzero(front)[:, 0]
    if not 1 <= count <= len(places):
        raise ParameterError(f"count must be from 1 to {len(places)} points, got {count}")
    some = mean[places]
    chosen = [int(some[:, 2].argmax())]
    far = (some - some[chosen[0]]).norm(dim=1)
    while len(chosen) < count:
        chosen.append(int(far.argmax()))
        far = far.minimum((some - some[chosen[-1]]).norm(dim=1))
    index = places[chosen]
    return KeyVertices(index, _rings(model.faces, index))


def points_between(
    model: MorphableModel,
    source: Float[Tensor, "#T V 3"],
    target: Float[Tensor, "T V 3"],
    count: int,
    size: tuple[int, int],
) -> Float[Tensor, "T N"]:
    """What generators are told of the points: for each `NUMBERS`, pixels from -1 to 1.

    The map leads from the target to the source: source + map (z - target) is where z of the
    target is in the source, near the point.

    Args:
        model: of the head.
        source: screen positions in the photo.
        target: those in the frames to make.
        count: of points.
        size: height and width of both in pixels.
    """
    check_shape("source", source, None, model.size, 3)
    check_shape("target", target, None, model.size, 3)
    keys, scale = key_vertices(model, count), target.new_tensor([2 / size[1], 2 / size[0]])
    here, there = (screen[..., :2] * scale - 1 for screen in (target, source))
    maps = affine_maps(here, there, keys)
    points = [part[:, keys.index].expand(len(target), -1, -1) for part in (here, there)]
    return torch.cat([*points, maps.flatten(2)], dim=2).flatten(1)


def affine_maps(
    here: Float[Tensor, "T V 2"], there: Float[Tensor, "#T V 2"], keys: KeyVertices
) -> Float[Tensor, "T K 2 2"]:
    """How the ring about each vertex is turned and stretched: the map of least squares.

    Args:
        here: positions.
        there: positions of the same vertices elsewhere.
        keys: the vertices.
    """
    before, after = (part[:, keys.ring] - part[:, keys.index][:, :, None] for part in (here, there))
    square = before.mT @ before
    firm = _FIRM * torch.diagonal(square, dim1=-2, dim2=-1).sum(-1)[..., None, None]
    eye = torch.eye(2, dtype=here.dtype, device=here.device)
    still = firm.clamp(min=1e-12) * eye  # what is not known does not turn
    mixed = after.mT @ before + still
    return torch.linalg.solve(square + still, mixed, left=False)


def _rings(faces: Int[Tensor, "F 3"], index: Int[Tensor, " K"]) -> Int[Tensor, "K R"]:
    rings = []
    for vertex in index.tolist():
        around = faces[(faces == vertex).any(1)].unique()
        rings.append(around[around != vertex].long())
    most = max(len(ring) for ring in rings)
    padded = [
        torch.cat([ring, vertex.long().expand(most - len(ring))])
        for ring, vertex in zip(rings, index, strict=True)
    ]
    return torch.stack(padded)
