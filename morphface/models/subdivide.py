"""A finer model of the same face: one level of Loop subdivision of every field.

Subdivision is linear, so it applies to the mean and to every direction of a basis alike; the
coefficients keep their meaning.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from morphface.geometry.children import child_points
from morphface.geometry.mesh import VertexWeights, edges, loop_subdivision
from morphface.models.articulated import ArticulatedModel, Rig
from morphface.models.basis import LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import Eye, MorphableModel

__all__ = ["refine", "subdivide_model"]


def subdivide_model(model: MorphableModel) -> MorphableModel:
    """`model` with four times as many faces, smoothed by one level of Loop subdivision."""
    faces, weights = loop_subdivision(model.faces, model.size)
    uv, uv_faces = model.uv, model.uv_faces
    if uv is not None and uv_faces is not None:
        uv_faces, uv_weights = loop_subdivision(uv_faces, len(uv), boundary="linear")
        uv = uv_weights.apply(uv)
    directions = weights.apply(model.expression.directions)
    rig: dict[str, Any] = (
        {"rig": _rig(model.rig, weights)} if isinstance(model, ArticulatedModel) else {}
    )
    return replace(
        model,
        **rig,
        identity=_finer(model.identity, weights),
        expression=replace(model.expression, directions=directions),
        reflectance=None if model.reflectance is None else _finer(model.reflectance, weights),
        faces=faces,
        uv=uv,
        uv_faces=uv_faces,
        mirror=None if model.mirror is None else _mirror(model.faces, model.mirror),
        regions={n: weights.apply(mask[:, None])[:, 0] for n, mask in model.regions.items()},
        eyes=None if model.eyes is None else _eyes(model, model.eyes, weights),
        landmarks={n: refine(e, model.faces, faces) for n, e in model.landmarks.items()},
    )


def _rig(rig: Rig, weights: VertexWeights) -> Rig:
    return replace(
        rig, weights=weights.apply(rig.weights), correctives=weights.apply(rig.correctives)
    )


def _finer(basis: LinearBasis, weights: VertexWeights) -> LinearBasis:
    return LinearBasis(weights.apply(basis.mean), weights.apply(basis.directions))


def _mirror(faces: Tensor, mirror: Tensor) -> Tensor:
    """A new vertex stands on an edge; its mirror image stands on the mirrored edge."""
    size, pairs = len(mirror), edges(faces)
    key = pairs[:, 0] * size + pairs[:, 1]
    image = mirror[pairs].sort(dim=1).values
    wanted = image[:, 0] * size + image[:, 1]
    found = torch.searchsorted(key, wanted).clamp(max=len(key) - 1)
    own = torch.arange(len(key), device=key.device)
    found = torch.where(key[found] == wanted, found, own)
    return torch.cat([mirror, size + found])


def _eyes(model: MorphableModel, eyes: tuple[Eye, Eye], weights: VertexWeights) -> tuple[Eye, Eye]:
    left, right = (_eye(model.identity.mean, eye, weights) for eye in eyes)
    return left, right


def _eye(mean: Tensor, eye: Eye, weights: VertexWeights) -> Eye:
    inside = torch.zeros(len(mean), 1)
    inside[eye.vertices] = 1.0
    vertices = torch.nonzero(weights.apply(inside)[:, 0] > 0.999)[:, 0]
    ball, centre = weights.apply(mean)[vertices], eye.centre(mean)
    radius = (ball - centre).norm(dim=-1).mean().item()
    return Eye(vertices, centre - ball.mean(0), radius, eye.iris_radius)


def refine(coarse: LandmarkEmbedding, faces: Tensor, finer: Tensor) -> LandmarkEmbedding:
    """The same points in the child faces. Child faces are ordered as in `loop_subdivision`."""
    size = int(faces.max()) + 1
    parent = _face_of(coarse.triangles, faces, size)
    child, weights = child_points(parent, _reordered(coarse, faces[parent]))
    return LandmarkEmbedding(finer[child], weights, coarse.confidence)


def _face_of(triangles: Tensor, faces: Tensor, size: int) -> Tensor:
    """Index of the face that has the same corners; the embedding's triangles are faces."""
    scale = torch.tensor([size * size, size, 1])
    key, order = (faces.sort(dim=1).values * scale).sum(1).sort()
    wanted = (triangles.sort(dim=1).values * scale).sum(1)
    return order[torch.searchsorted(key, wanted).clamp(max=len(key) - 1)]


def _reordered(embedding: LandmarkEmbedding, corners: Tensor) -> Tensor:
    """Barycentric weights in the order of the face's own corners."""
    same = corners[:, :, None] == embedding.triangles[:, None, :]
    return (same * embedding.barycentric[:, None, :]).sum(-1)
