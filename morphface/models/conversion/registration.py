"""Bending one surface onto another until they coincide.

After Amberg, Romdhani and Vetter, "Optimal step nonrigid ICP algorithms for surface registration"
(2007): closest points and landmarks pull, a stiffness that falls from step to step holds. Here
the stiffness is that of a thin plate (the squared Laplacian of the displacement), so that it is a
length, independent of how finely the surface is meshed: bumps narrower than it are smoothed.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import csc_matrix, diags
from torch import Tensor

from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.laplacian import cotangent_laplacian, solved
from morphface.geometry.mesh import vertex_normals
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import MorphableModel
from morphface.models.skin import skin_faces

__all__ = [
    "Landing",
    "Similarity",
    "Surface",
    "bend",
    "bent",
    "fit_similarity",
    "land",
    "picks_of",
    "skin_surface",
]

_STIFFNESS = (60.0, 40.0, 25.0, 16.0, 10.0, 7.0, 5.0, 4.0)
_ROUNDS = 3
_AGREE = 0.5
"""Cosine between normals below which two surfaces do not face the same way."""
_CANDIDATES = 16

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Surface:
    """A triangle mesh.

    Args:
        vertices: positions.
        faces: vertex indices, counter-clockwise seen from outside.
    """

    vertices: Float[Array, "V 3"]
    faces: Int[Array, "F 3"]

    @cached_property
    def normals(self) -> Float[Array, "V 3"]:
        """Unit normals of the vertices."""
        found = vertex_normals(torch.from_numpy(self.vertices), torch.from_numpy(self.faces))
        return found.numpy()

    @cached_property
    def rim(self) -> Bool[Array, " V"]:
        """Whether a vertex is on an edge that only one face has."""
        size = len(self.vertices)
        sides = np.sort(self.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        keys, count = np.unique(sides @ [size, 1], return_counts=True)
        alone = keys[count == 1]
        out = np.zeros(size, bool)
        out[alone // size] = out[alone % size] = True
        return out


def skin_surface(
    model: MorphableModel, vertices: Float[Tensor, "V 3"], skin: Bool[Tensor, " F"] | None = None
) -> tuple[Surface, Int[Array, " n"]]:
    """The skin alone of a face with `vertices`, and which of them it has.

    Args:
        model: whose face it is.
        vertices: of the face.
        skin: which faces are skin; None asks the model's regions.
    """
    chosen = skin_faces(model) if skin is None else skin
    rows, faces = model.faces[chosen].unique(return_inverse=True)
    return Surface(vertices.double()[rows].numpy(), faces.numpy()), rows.numpy()


@dataclass(frozen=True)
class Similarity:
    """`scale * points @ rotation.T + shift`."""

    scale: float
    rotation: Float[Array, "3 3"]
    shift: Float[Array, "3"]

    def apply(self, points: Float[Array, "N 3"]) -> Float[Array, "N 3"]:
        """Where the points go."""
        return self.scale * points @ self.rotation.T + self.shift


@dataclass(frozen=True, eq=False)
class Landing:
    """Where points come to lie on a surface.

    Args:
        face: the nearest one.
        barycentric: weights of its corners.
        points: the nearest points.
        normals: unit normals there.
        inside: whether the point is not on the rim of the surface.
    """

    face: Int[Array, " N"]
    barycentric: Float[Array, "N 3"]
    points: Float[Array, "N 3"]
    normals: Float[Array, "N 3"]
    inside: Bool[Array, " N"]


def fit_similarity(
    moving: Float[Array, "N 3"], fixed: Float[Array, "N 3"], weights: Float[Array, " N"]
) -> Similarity:
    """The similarity that brings `moving` nearest to `fixed` (Umeyama 1991)."""
    share = weights / weights.sum()
    from_centre, to_centre = share @ moving, share @ fixed
    a, b = moving - from_centre, fixed - to_centre
    u, stretch, vt = np.linalg.svd((b * share[:, None]).T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((stretch * sign).sum() / (share @ (a**2).sum(1)))
    return Similarity(scale, rotation, to_centre - scale * rotation @ from_centre)


def land(points: Float[Array, "N 3"], surface: Surface) -> Landing:
    """The points of `surface` nearest to `points`."""
    face, weight = closest_on_mesh(
        torch.from_numpy(points),
        torch.from_numpy(surface.vertices),
        torch.from_numpy(surface.faces),
        candidates=_CANDIDATES,
    )
    rows, weights = face.numpy(), weight.numpy()
    corners = surface.faces[rows]
    normals = (weights[..., None] * surface.normals[corners]).sum(1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    on_rim = ((weights < 1e-6) | surface.rim[corners]).all(1)
    found = (weights[..., None] * surface.vertices[corners]).sum(1)
    return Landing(rows, weights, found, normals, ~on_rim)


def picks_of(
    embedding: LandmarkEmbedding, size: int, rows: Int[Array, " n"]
) -> tuple[csc_matrix, Float[Array, " N"]]:
    """Landmarks as a matrix over the vertices `rows`, and how far each may be trusted.

    Args:
        embedding: of the landmarks.
        size: how many vertices the model has.
        rows: those of a surface; landmarks that lie elsewhere are not trusted at all.
    """
    place = np.full(size, -1)
    place[rows] = np.arange(len(rows))
    columns = place[embedding.triangles.numpy()]
    on_skin = (columns >= 0).all(1)
    weights = embedding.barycentric.double().numpy() * on_skin[:, None]
    line = np.arange(len(columns)).repeat(3)
    picks = csc_matrix(
        (weights.ravel(), (line, columns.clip(0).ravel())), shape=(len(columns), len(rows))
    )
    return picks, embedding.confidence.double().numpy() * on_skin


def bent(
    moving: Surface, fixed: Surface, pins: tuple[csc_matrix, csc_matrix, Float[Array, " N"]]
) -> Surface:
    """`moving`, aligned with `fixed` by their landmarks and bent onto it.

    Args:
        moving: anywhere.
        fixed: where to.
        pins: the landmarks of both, as `picks_of` gives them, and how far each is trusted.
    """
    picks, fixed_picks, trust = pins
    places = fixed_picks @ fixed.vertices
    aligned = fit_similarity(picks @ moving.vertices, places, trust + 1e-9)
    start = Surface(aligned.apply(moving.vertices), moving.faces)
    return Surface(bend(start, fixed, (picks, places, trust)), moving.faces)


def bend(
    moving: Surface,
    fixed: Surface,
    pins: tuple[csc_matrix, Float[Array, "N 3"], Float[Array, " N"]],
) -> Float[Array, "V 3"]:
    """Vertices of `moving`, bent onto `fixed`.

    Args:
        moving: already near `fixed`.
        fixed: where to.
        pins: landmarks: a matrix that picks them from the vertices of `moving`, where they belong
            on `fixed`, and how much each may be trusted, 0 to 1.
    """
    picks, places, trust = pins
    plate, area = _plate(moving)
    vertices = moving.vertices
    for stiffness in _STIFFNESS:
        for _ in range(_ROUNDS):
            there = land(vertices, fixed)
            normals = Surface(vertices, moving.faces).normals
            away = np.linalg.norm(there.points - vertices, axis=1)
            agree = ((normals * there.normals).sum(1) > _AGREE) & there.inside
            reach = max(2.0, 2.5 * float(np.median(away[agree]))) if agree.any() else 2.0
            pull = area * agree / (1 + (away / reach) ** 2)
            # A landmark counts as a patch as wide as the stiffness, so that it is felt there.
            pin = trust * min(stiffness, 10.0) ** 2
            system = stiffness**4 * plate + diags(pull + 1e-6 * area)
            system = system + picks.T @ diags(pin) @ picks
            force = pull[:, None] * (there.points - moving.vertices)
            force += picks.T @ (pin[:, None] * (places - picks @ moving.vertices))
            vertices = moving.vertices + solved(csc_matrix(system), force)
    return vertices


def _plate(surface: Surface) -> tuple[csc_matrix, Float[Array, " V"]]:
    """The bending energy of a displacement, and the area around each vertex."""
    laplacian, area = cotangent_laplacian(surface.vertices, surface.faces)
    return csc_matrix(laplacian @ diags(1 / area) @ laplacian), area
