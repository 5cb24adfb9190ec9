"""How far is one surface from another, once they have been brought together?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import roma
import torch

from benchmarks.nearest import best_of
from benchmarks.subjects import Shot
from morphface.fit import FittedFace
from morphface.geometry.mesh import vertex_normals
from morphface.models import MorphableModel

__all__ = [
    "Similarity",
    "Surface",
    "brought_together",
    "by_landmarks",
    "distances",
    "plane_rows",
    "register",
    "register_scaled",
    "skin_faces",
    "trust",
]

CANDIDATES = 12
SURE = 0.3  # confidence of a landmark that takes part
STILL = 3e-4  # mm; points that move less on average have arrived
MOST_STEPS, BOLD = 100, 12  # after so many bold steps, half ones: pairs may swap to and fro


@dataclass
class Similarity:
    """`scale * points @ rotation.T + shift`."""

    scale: float
    rotation: np.ndarray
    shift: np.ndarray

    @classmethod
    def identity(cls) -> "Similarity":
        """Leaves points where they are."""
        return cls(1.0, np.eye(3), np.zeros(3))

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Moved points."""
        return self.scale * points @ self.rotation.T + self.shift

    def moved(self, step: np.ndarray) -> "Similarity":
        """This one, then a small turn (3), shift (3) and logarithm of growth (1)."""
        x, y, z = step[:3]
        u, _, vt = np.linalg.svd(np.eye(3) + np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))
        turn, growth = u @ vt, float(np.exp(step[6]))
        shift = growth * turn @ self.shift + step[3:6]
        return Similarity(growth * self.scale, turn @ self.rotation, shift)


class Surface:
    """A mesh that is asked often for its nearest points."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        from scipy.spatial import cKDTree

        self.vertices, self.faces = np.asarray(vertices, np.float64), np.asarray(faces)
        self._corners = self.vertices[self.faces]
        self._tree = cKDTree(self._corners.mean(axis=1))
        points, triangles = torch.from_numpy(self.vertices), torch.from_numpy(self.faces).long()
        self.normals = vertex_normals(points, triangles).numpy()

    def closest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Face and barycentric weights of the surface point nearest to each point."""
        _, near = self._tree.query(points, min(CANDIDATES, len(self.faces)))
        return best_of(points, self._corners, near)

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest point to each, and the unit normal there."""
        face, weight = self.closest(points)
        triangles, weight = self.faces[face], weight[..., None]
        normal = (weight * self.normals[triangles]).sum(1)
        normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
        return (weight * self.vertices[triangles]).sum(1), normal


def skin_faces(model: MorphableModel) -> np.ndarray:
    """Faces of the skin, lips and nostrils included: no eyeballs, teeth or tongue."""
    inner = sum(model.regions[n] for n in ("eyeballs", "teeth", "tongue"))
    return model.faces[~(inner > 0.5)[model.faces].any(dim=1)].numpy()


def plane_rows(points: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Rows (turn, shift, growth) of a point-to-plane least squares for a small similarity.

    Args:
        points: moved ones.
        normal: of the planes.
    """
    turns, lengths = np.cross(points, normal), (points * normal).sum(1, keepdims=True)
    return np.concatenate([-turns, -normal, -lengths], axis=1)


def trust(away: np.ndarray) -> np.ndarray:
    """Weights that fall for points much further off than the median."""
    return 1 / (1 + (away / (2 * np.median(away) + 0.2)) ** 2)


def register(points: np.ndarray, surface: Surface, start: Similarity) -> Similarity:
    """`start`, turned and shifted so that `points` come nearest to a surface.

    By iterated closest points, point to plane, until they rest. The scale stays: points far from
    the surface would shrink the rest.
    """

    def step(moved: np.ndarray, scale: float) -> np.ndarray:
        reached, normal = surface.nearest(moved)
        rows, away = plane_rows(moved, normal)[:, :6], moved - reached
        share = trust(np.linalg.norm(away, axis=1) / scale)
        return np.append(_solved(rows, (away * normal).sum(1), share), 0.0)

    return _rested(points, start, step)


def register_scaled(points: np.ndarray, surface: Surface, start: Similarity) -> Similarity:
    """The similarity that makes the squared distances of `points` to a surface least.

    Distances count in the unit of the points, so that shrinking them gains nothing; none is
    distrusted. Found by Gauss-Newton on the distances themselves.
    """

    def step(moved: np.ndarray, scale: float) -> np.ndarray:
        reached, normal = surface.nearest(moved)
        away = moved - reached
        far = np.linalg.norm(away, axis=1, keepdims=True)
        direction = np.where(far > 0.02 * scale, away / np.maximum(far, 1e-12), normal)
        rows = plane_rows(moved, direction)
        rows[:, 6] = -(reached * direction).sum(1)  # a distance grows with the points
        return _solved(rows, (away * direction).sum(1), np.ones(len(moved)))

    return _rested(points, start, step)


def _solved(rows: np.ndarray, residual: np.ndarray, share: np.ndarray) -> np.ndarray:
    left = rows.T @ (rows * share[:, None]) + 1e-9 * np.eye(rows.shape[1])
    return np.linalg.solve(left, rows.T @ (share * residual))


def _rested(
    points: np.ndarray, start: Similarity, step: Callable[[np.ndarray, float], np.ndarray]
) -> Similarity:
    """Where steps lead, once the points rest."""
    pose = start
    for count in range(MOST_STEPS):
        moved = pose.apply(points)
        gain = 1.0 if count < BOLD else 0.5
        pose = pose.moved(gain * step(moved, pose.scale))
        path = np.linalg.norm(pose.apply(points) - moved, axis=1).mean() / pose.scale
        if path < STILL:
            break
    return pose


def brought_together(points: np.ndarray, targets: np.ndarray, *, scaled: bool = True) -> Similarity:
    """The similarity that brings points nearest to their targets, after Umeyama (1991).

    Args:
        points: to be moved.
        targets: where they belong.
        scaled: whether the scale is free, or 1.
    """
    moved = (torch.from_numpy(np.asarray(x, np.float64)) for x in (points, targets))
    turn, shift, *scale = roma.rigid_points_registration(*moved, compute_scaling=scaled)
    return Similarity(float(scale[0]) if scaled else 1.0, turn.numpy(), shift.numpy())


def by_landmarks(face: FittedFace, shot: Shot) -> Similarity:
    """The similarity that brings a subject's landmarks to those of a fit, in the camera frame.

    Args:
        face: the fit.
        shot: the picture that it was fitted to.
    """
    embedding, marks = face.model.landmarks["478"], shot.marks.double().numpy()
    fitted = embedding.points(face.vertices_in_camera()).double().numpy()
    sure = np.isfinite(marks).all(1) & (embedding.confidence.numpy() > SURE)
    return brought_together(marks[sure], fitted[sure])


def distances(points: np.ndarray, surface: Surface, pose: Similarity) -> np.ndarray:
    """From each of `points`, moved by `pose`, to the surface, in the unit of the points."""
    moved = pose.apply(points)
    return np.linalg.norm(moved - surface.nearest(moved)[0], axis=1) / pose.scale
