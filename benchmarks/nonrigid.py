"""A linear model, brought to a surface by its coefficients and a similarity."""

from dataclasses import dataclass

import numpy as np

from benchmarks.surfaces import Similarity, Surface, plane_rows, trust

__all__ = ["Shapes", "fit_surface"]

PRIOR = 0.004  # mm^2 of squared error that one squared coefficient may save, per point
STRIDE = 3
RIGID, ROUNDS = 8, 18


@dataclass(frozen=True)
class Shapes:
    """A mean and what each coefficient adds to it, K x V x 3, and the faces that are reached."""

    mean: np.ndarray
    modes: np.ndarray
    faces: np.ndarray

    def instance(self, coefficients: np.ndarray) -> np.ndarray:
        """The vertices that coefficients give."""
        return self.mean + np.tensordot(coefficients, self.modes, 1)


def fit_surface(
    target: np.ndarray, shapes: Shapes, start: Similarity | None = None
) -> tuple[Similarity, np.ndarray]:
    """The similarity that brings the target's points to the model, and the coefficients.

    By non-rigid iterated closest points; without modes, only the similarity moves.
    """
    rank = len(shapes.modes)
    pose, x = start or Similarity.identity(), np.zeros(rank)
    sampled, surface = target[::STRIDE], Surface(shapes.mean, shapes.faces)
    for turn in range(RIGID + (ROUNDS if rank else 0)):
        free = rank if turn >= RIGID else 0
        step, x_new = _step(pose.apply(sampled), shapes, surface, free, pose.scale)
        pose = pose.moved(step)
        if turn >= RIGID:
            x = x_new
            surface = Surface(shapes.instance(x), shapes.faces)
    return pose, x


def _step(
    points: np.ndarray, shapes: Shapes, surface: Surface, free: int, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Point-to-plane least squares for a small similarity and the first coefficients.

    Residuals are in millimetres of the target, so that shrinking it gains nothing.
    """
    face, weight = surface.closest(points)
    triangles, weight = surface.faces[face], weight[..., None]
    normal = (weight * surface.normals[triangles]).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    base, reached = ((weight * v[triangles]).sum(1) for v in (shapes.mean, surface.vertices))
    modes = shapes.modes[:free, triangles]
    moves = np.einsum("nk,jnkc,nc->nj", weight[..., 0], modes, normal, optimize=True)
    rows = np.concatenate([moves, plane_rows(points, normal)], axis=1)
    share = trust(np.linalg.norm(points - reached, axis=1)) / (len(points) * scale**2)
    prior = np.concatenate([np.full(free, PRIOR), np.full(7, 1e-9)])
    right = rows.T @ (share * ((points - base) * normal).sum(1))
    solution = np.linalg.solve(rows.T @ (rows * share[:, None]) + np.diag(prior), right)
    return solution[free:], solution[:free]
