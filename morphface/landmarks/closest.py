"""The closest points of a surface."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["closest_on_surface"]

_CANDIDATES = 64


def closest_on_surface(
    points: Float[Tensor, "N 3"], vertices: Float[Tensor, "V 3"], faces: Int[Tensor, "F 3"]
) -> tuple[Int[Tensor, " N"], Float[Tensor, "N 3"]]:
    """For each point the face that is nearest to it, and the weights of its corners there.

    Only the faces with the nearest centres are looked at: exact for meshes whose neighbouring
    triangles do not differ much in size.

    Args:
        points: anywhere.
        vertices: of the surface.
        faces: of the surface.
    """
    corners = vertices[faces]
    count = min(_CANDIDATES, len(faces))
    near = torch.cdist(points, corners.mean(1)).topk(count, largest=False).indices
    weights = _closest_weights(points[:, None], corners[near])
    positions = (weights[..., None] * corners[near]).sum(-2)
    best = (positions - points[:, None]).norm(dim=-1).argmin(-1)
    rows = torch.arange(len(points))
    return near[rows, best], weights[rows, best]


def _closest_weights(
    points: Float[Tensor, "*#batch 3"], corners: Float[Tensor, "*#batch 3 3"]
) -> Float[Tensor, "*batch 3"]:
    """Barycentric weights of the nearest point of each triangle: inside, or on an edge."""
    a, b, c = corners.unbind(-2)
    ab, ac, ap = b - a, c - a, points - a
    d = [(x * y).sum(-1) for x, y in ((ab, ab), (ab, ac), (ac, ac), (ap, ab), (ap, ac))]
    scale = (d[0] * d[2] - d[1] * d[1]).clamp(min=1e-12)
    v = (d[2] * d[3] - d[1] * d[4]) / scale
    w = (d[0] * d[4] - d[1] * d[3]) / scale
    inside = torch.stack([1 - v - w, v, w], dim=-1)
    options = [inside] + [_on_edge(points, corners, k) for k in range(3)]
    stacked = torch.stack(options, dim=-2)
    positions = (stacked[..., None] * corners[..., None, :, :]).sum(-2)
    distance = (positions - points[..., None, :]).norm(dim=-1)
    distance[..., 0] += torch.where((inside < 0).any(-1), torch.inf, 0.0)
    best = distance.argmin(-1)[..., None, None].expand(*distance.shape[:-1], 1, 3)
    return stacked.gather(-2, best)[..., 0, :]


def _on_edge(points: Tensor, corners: Tensor, start: int) -> Tensor:
    end = (start + 1) % 3
    a, edge = corners[..., start, :], corners[..., end, :] - corners[..., start, :]
    along = ((points - a) * edge).sum(-1) / edge.square().sum(-1).clamp(min=1e-12)
    along = along.clamp(0, 1)
    weights = torch.zeros(*along.shape, 3)
    weights[..., start] = 1 - along
    weights[..., end] = along
    return weights
