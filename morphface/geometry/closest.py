"""The nearest point of a surface."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape

__all__ = ["closest_on_mesh", "closest_on_triangle"]

_CHUNK = 16384


def closest_on_triangle(
    points: Float[Tensor, "*batch 3"], corners: Float[Tensor, "*batch 3 3"]
) -> Float[Tensor, "*batch 3"]:
    """Barycentric weights of the point of a triangle nearest to each of `points`.

    The nearest point is the projection if that falls inside, else the best of the nearest
    points of the three edges.
    """
    check_shape("corners", corners, 3, 3)
    projected = _projection(points, corners)
    edges = torch.stack([_on_edge(points, corners, k) for k in range(3)], dim=-2)
    reached = (edges[..., None] * corners[..., None, :, :]).sum(-2)
    nearest = (reached - points[..., None, :]).square().sum(-1).argmin(-1)
    best = edges.gather(-2, nearest[..., None, None].expand(*nearest.shape, 1, 3))[..., 0, :]
    inside = (projected >= 0).all(-1, keepdim=True)
    return torch.where(inside, projected, best)


def closest_on_mesh(
    points: Float[Tensor, "N 3"],
    vertices: Float[Tensor, "V 3"],
    faces: Int[Tensor, "F 3"],
    *,
    candidates: int = 48,
) -> tuple[Int[Tensor, " N"], Float[Tensor, "N 3"]]:
    """Index of the face nearest to each point, and the barycentric weights of the point on it.

    Args:
        points: where from.
        vertices: of the mesh.
        faces: of the mesh.
        candidates: how many faces are tried, those of the nearest centroids; enough where the
            faces near a point are of similar size.
    """
    from scipy.spatial import cKDTree

    found, weights = [], []
    tree = cKDTree(vertices[faces].mean(dim=1).detach().cpu().numpy())
    for part in points.split(_CHUNK):
        _, near = tree.query(part.detach().cpu().numpy(), min(candidates, len(faces)), workers=-1)
        nearest = torch.from_numpy(np.reshape(near, (len(part), -1))).to(faces.device)
        corners = vertices[faces[nearest]]
        bary = closest_on_triangle(part[:, None].expand(-1, corners.shape[1], 3), corners)
        reached = (bary[..., None] * corners).sum(-2)
        best = (reached - part[:, None]).square().sum(-1).argmin(-1)
        row = torch.arange(len(part), device=points.device)
        found.append(nearest[row, best])
        weights.append(bary[row, best])
    return torch.cat(found), torch.cat(weights)


def _projection(points: Tensor, corners: Tensor) -> Tensor:
    """Weights of the projection onto the plane; those of a flat triangle count as outside."""
    a, b, c = corners.unbind(-2)
    normal = torch.linalg.cross(b - a, c - a)
    square = normal.square().sum(-1, keepdim=True)
    safe = torch.where(square > 0, square, 1.0)
    second = (torch.linalg.cross(points - a, c - a) * normal).sum(-1, keepdim=True) / safe
    third = (torch.linalg.cross(b - a, points - a) * normal).sum(-1, keepdim=True) / safe
    weights = torch.cat([1 - second - third, second, third], dim=-1)
    return torch.where(square > 0, weights, -1.0)


def _on_edge(points: Tensor, corners: Tensor, start: int) -> Tensor:
    """Weights of the nearest point of the edge from corner `start` to the next."""
    a, b = corners[..., start, :], corners[..., (start + 1) % 3, :]
    along = b - a
    length = along.square().sum(-1)
    part = ((points - a) * along).sum(-1) / torch.where(length > 0, length, 1.0)
    part = part.clamp(0, 1)
    weights = [torch.zeros_like(part)] * 3
    weights[start], weights[(start + 1) % 3] = 1 - part, part
    return torch.stack(weights, dim=-1)
