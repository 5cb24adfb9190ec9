"""From the arrays of a file to a model in the conventions of the package.

A reader states the unit of its file and where its indices start; the rest is the same for all.
Faces are turned so that they enclose a positive volume, which is counter-clockwise from outside.
The origin is put between the eyeballs. A model without them has it 0.03 of the distance between
the outer corners of the eyes above the mean of the four corners, and 0.12 of it behind: there
they are on average in the two models with eyeballs that this was measured on, 3.5 mm apart in
depth. Where a file tells nothing about the eyes, it is 36 mm above the foremost point of the mean
face, the tip of the nose, and 53 mm behind, as that rule gives for the Basel Face Model.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from morphface.core.errors import ModelError
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import MorphableModel

__all__ = ["Parts", "assemble", "components", "positions", "triangles", "vertices"]

_CORNERS = (36, 39, 42, 45)  # of the eyes, among the 68 points; the outer ones first and last
_EYES_FROM_CORNERS = (0.0, 0.03, -0.12)
_EYES_FROM_TIP = (0.0, 36.0, -53.0)
_SILHOUETTE = 0.4  # confidence of the 17 points of the jaw


@dataclass(frozen=True, eq=False)
class Parts:
    """What a file gives, in millimetres and the axes of the package, wherever its origin is.

    Args:
        name: of the model.
        mean: V x 3.
        identity: K x V x 3, one standard deviation each.
        faces: F x 3, from 0, in either orientation.
        expression: the same as `identity`, or None.
        reflectance: mean and directions of RGB in [0, 1], or None.
        landmarks: vertices of the 68 points, or None where the file does not tell.
        corners: positions of the corners of the eyes where `landmarks` is None: outer, inner,
            inner, outer.
        regions: masks over vertices.
    """

    name: str
    mean: Tensor
    identity: Tensor
    faces: np.ndarray
    expression: Tensor | None = None
    reflectance: LinearBasis | None = None
    landmarks: np.ndarray | None = None
    corners: Tensor | None = None
    regions: dict[str, Tensor] = field(default_factory=dict)


def assemble(parts: Parts) -> MorphableModel:
    """The model made of `parts`.

    Raises:
        ModelError: the landmarks do not lie on the model.
    """
    size = len(parts.mean)
    faces = torch.from_numpy(_outward(parts.faces, parts.mean.numpy()))
    landmarks = {}
    if parts.landmarks is not None:
        landmarks["68"] = _embedding(parts.landmarks, faces, size)
    mean = parts.mean - _between_eyes(parts).to(parts.mean.dtype)
    return MorphableModel(
        name=parts.name,
        identity=LinearBasis(mean, parts.identity),
        expression=_expression(parts.expression, size),
        faces=faces,
        reflectance=parts.reflectance,
        regions=parts.regions,
        landmarks=landmarks,
    )


def positions(values: np.ndarray, unit: float = 1.0) -> Tensor:
    """Three numbers a vertex, times `unit`, as V x 3.

    Raises:
        ModelError: the count is no multiple of three, or a number is not finite.
    """
    flat = np.asarray(values, np.float64).ravel() * unit
    if not flat.size or flat.size % 3:
        raise ModelError(f"its mean has {flat.size} numbers, not three a vertex")
    if not np.isfinite(flat).all() or np.abs(flat).max() > 1e6:
        raise ModelError("its mean has numbers that are not finite, or too large")
    return torch.from_numpy(flat.astype(np.float32)).reshape(-1, 3)


def components(values: np.ndarray, deviations: np.ndarray | float, size: int) -> Tensor:
    """The columns of a basis, each times its standard deviation, as K x V x 3.

    Single precision is scaled in place: `values` must not be used afterwards.

    Args:
        values: three rows a vertex, one column a component.
        deviations: of each column, in the unit wanted; more of them than columns are ignored.
        size: number of vertices.

    Raises:
        ModelError: the shapes do not fit each other, or a number is not finite.
    """
    if values.ndim != 2 or len(values) != 3 * size:
        raise ModelError(f"its basis has shape {values.shape}, and {size} vertices were expected")
    rank = values.shape[1]
    scale = np.ravel(np.asarray(deviations, np.float32))
    if scale.size < rank and scale.size != 1:
        raise ModelError(f"its basis has {rank} components, but {scale.size} deviations")
    with np.errstate(all="ignore"):
        rows = np.require(values.T, np.float32, ["C", "W"])
        rows *= scale[:rank, None]
        finite = all(np.isfinite(row @ row) for row in rows)
    if not finite:
        raise ModelError("its basis has numbers that are not finite, or too large")
    return torch.from_numpy(rows).reshape(rank, size, 3)


def triangles(values: np.ndarray, size: int, *, first: int | None) -> np.ndarray:
    """Faces as F x 3, counted from 0.

    Args:
        values: F x 3 or 3 x F.
        size: number of vertices.
        first: index of the first vertex in the file; None tells it by the highest index.

    Raises:
        ModelError: it has another shape, or an index is out of range.
    """
    if values.ndim != 2 or 3 not in values.shape:
        raise ModelError(f"its faces have shape {values.shape}, not three vertices each")
    rows = values if values.shape[1] == 3 else values.T
    start = first if first is not None else int(rows.max() == size)
    return vertices(rows, size, start, "faces")


def vertices(values: np.ndarray, size: int, first: int, name: str) -> np.ndarray:
    """Vertex indices of any shape, counted from 0.

    Raises:
        ModelError: an index is out of range.
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (first, first)
    if not (first <= low and high < size + first):
        raise ModelError(
            f"its {name} index {size} vertices from {first} on, and go from {low:g} to {high:g}"
        )
    return np.ascontiguousarray(values, np.int64) - first


def _outward(faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    centred = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    a, b, c = (centred[faces[:, corner]] for corner in range(3))
    volume = np.einsum("fc,fc->", a, np.cross(b, c))
    return faces if volume >= 0 else np.ascontiguousarray(faces[:, ::-1])


def _between_eyes(parts: Parts) -> Tensor:
    mean = parts.mean.double()
    corners = parts.corners
    if parts.landmarks is not None:
        corners = mean[torch.from_numpy(parts.landmarks[list(_CORNERS)])]
    if corners is None:
        return mean[mean[:, 2].argmax()] + torch.tensor(_EYES_FROM_TIP, dtype=mean.dtype)
    corners = corners.double()
    apart = (corners[3] - corners[0]).norm()
    return corners.mean(0) + apart * torch.tensor(_EYES_FROM_CORNERS, dtype=mean.dtype)


def _embedding(indices: np.ndarray, faces: Tensor, size: int) -> LandmarkEmbedding:
    if indices.shape != (68,):
        raise ModelError(f"it has {indices.size} landmarks, and 68 were expected")
    chosen = torch.from_numpy(vertices(indices, size, 0, "landmarks"))
    confidence = torch.ones(68)
    confidence[:17] = _SILHOUETTE
    return LandmarkEmbedding.at_vertices(chosen, faces, confidence)


def _expression(directions: Tensor | None, size: int) -> ExpressionBasis:
    """Statistical expressions: numbered, and without bounds."""
    moves = torch.zeros(0, size, 3) if directions is None else directions
    bounds = torch.tensor([[-torch.inf, torch.inf]]).repeat(len(moves), 1)
    return ExpressionBasis(moves, tuple(f"expression_{k}" for k in range(len(moves))), bounds)
