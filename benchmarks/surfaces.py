"""How far is one surface from another, once a similarity has brought them together?"""

from dataclasses import dataclass

import numpy as np
import roma
import torch

from morphface.geometry.closest import closest_on_mesh
from morphface.geometry.mesh import vertex_normals
from morphface.models import MorphableModel

__all__ = [
    "Similarity",
    "brought_together",
    "closest",
    "distances",
    "plane_rows",
    "register",
    "skin_faces",
    "trust",
]

ROUNDS = 30


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


def skin_faces(model: MorphableModel) -> np.ndarray:
    """Faces of the skin, lips and nostrils included: no eyeballs, teeth or tongue."""
    inner = sum(model.regions[n] for n in ("eyeballs", "teeth", "tongue"))
    return model.faces[~(inner > 0.5)[model.faces].any(dim=1)].numpy()


def closest(
    points: np.ndarray, vertices: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Face and barycentric weights of the surface point nearest to each point."""
    face, weight = closest_on_mesh(
        torch.from_numpy(points).float(),
        torch.from_numpy(vertices).float(),
        torch.from_numpy(faces),
        candidates=12,
    )
    return face.numpy(), weight.double().numpy()


def plane_rows(
    points: np.ndarray, vertices: np.ndarray, at: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a point-to-plane least squares for a small similarity.

    Args:
        points: moved ones.
        vertices: of the surface.
        at: corners of the nearest face, and the weights of the nearest point in it.

    Returns:
        The rows (turn, shift, growth), the unit normal at the nearest point, and that point.
    """
    triangles, weight = at
    normals = vertex_normals(torch.from_numpy(vertices), torch.from_numpy(triangles)).numpy()
    normal = (weight[..., None] * normals[triangles]).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    surface = (weight[..., None] * vertices[triangles]).sum(1)
    turns, lengths = np.cross(points, normal), (points * normal).sum(1, keepdims=True)
    return np.concatenate([-turns, -normal, -lengths], axis=1), normal, surface


def trust(away: np.ndarray) -> np.ndarray:
    """Weights that fall for points much further off than the median."""
    return 1 / (1 + (away / (2 * np.median(away) + 0.2)) ** 2)


def register(
    points: np.ndarray, vertices: np.ndarray, faces: np.ndarray, start: Similarity
) -> Similarity:
    """`start`, turned and shifted so that `points` come nearest to a surface.

    By iterated closest points, point to plane. The scale stays: points far from the surface would
    shrink the rest.
    """
    pose = start
    for _ in range(ROUNDS):
        moved = pose.apply(points)
        face, weight = closest(moved, vertices, faces)
        rows, normal, surface = plane_rows(moved, vertices, (faces[face], weight))
        rows = rows[:, :6]
        share = trust(np.linalg.norm(moved - surface, axis=1))
        right = rows.T @ (share * ((moved - surface) * normal).sum(1))
        step = np.linalg.solve(rows.T @ (rows * share[:, None]) + 1e-9 * np.eye(6), right)
        pose = pose.moved(np.append(step, 0.0))
    return pose


def brought_together(points: np.ndarray, targets: np.ndarray) -> Similarity:
    """The similarity that brings points nearest to their targets, after Umeyama (1991)."""
    turn, shift, scale = roma.rigid_points_registration(
        torch.from_numpy(points), torch.from_numpy(targets), compute_scaling=True
    )
    return Similarity(float(scale), turn.numpy(), shift.numpy())


def distances(
    points: np.ndarray, vertices: np.ndarray, faces: np.ndarray, pose: Similarity
) -> np.ndarray:
    """From each of `points`, moved by `pose`, to the surface, in the unit of the points."""
    moved = pose.apply(points)
    face, weight = closest(moved, vertices, faces)
    nearest = (weight[..., None] * vertices[faces[face]]).sum(1)
    return np.linalg.norm(moved - nearest, axis=1) / pose.scale
