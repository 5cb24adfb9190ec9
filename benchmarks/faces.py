"""What a method says of a picture, a surface with landmarks, and where vertices belong on it."""

from dataclasses import dataclass

import numpy as np

from benchmarks.nonrigid import Shapes, fit_surface
from benchmarks.surfaces import Similarity, Surface, brought_together

__all__ = ["Face", "Places", "places_of"]

MARKS = 478


@dataclass(frozen=True)
class Face:
    """A surface that a method found.

    Args:
        vertices: in any right-handed frame.
        faces: its triangles.
        marks: the 478 landmarks on it; those that it has not are not finite.
        neutral: the vertices without expression, where the method tells them.
        metric: whether its unit is meant to be the millimetre.
    """

    vertices: np.ndarray
    faces: np.ndarray
    marks: np.ndarray
    neutral: np.ndarray | None = None
    metric: bool = True


@dataclass(frozen=True)
class Places:
    """Where on a method's mesh the points of an ICT head lie.

    Args:
        triangles: corners around each.
        barycentric: their weights.
        marks: whether the points are the head's first landmarks, not its vertices.
    """

    triangles: np.ndarray
    barycentric: np.ndarray
    marks: bool = False

    @classmethod
    def same(cls, count: int, *, marks: bool = False) -> "Places":
        """Each at the vertex of its own number."""
        corners = np.repeat(np.arange(count)[:, None], 3, axis=1)
        return cls(corners, np.tile([1.0, 0.0, 0.0], (count, 1)), marks)

    def points(self, vertices: np.ndarray) -> np.ndarray:
        """These places on a mesh."""
        return (self.barycentric[..., None] * vertices[self.triangles]).sum(1)


def places_of(
    target: np.ndarray, marks: np.ndarray, shapes: Shapes, model_marks: np.ndarray
) -> tuple[Places, np.ndarray]:
    """Where a target's points lie on a linear model that is brought to it, and how far away.

    Args:
        target: points of the mean head of ICT-FaceKit.
        marks: its landmarks.
        shapes: the model's.
        model_marks: the landmarks of its mean, absent ones not finite.
    """
    both = np.isfinite(marks).all(1) & np.isfinite(model_marks).all(1)
    start = brought_together(marks[both], model_marks[both])
    pose, x = fit_surface(target, shapes, start)
    surface = Surface(shapes.instance(x), shapes.faces)
    face, weight = surface.closest(pose.apply(target))
    return Places(shapes.faces[face], weight), _away(target, surface, pose)


def _away(target: np.ndarray, surface: Surface, pose: Similarity) -> np.ndarray:
    moved = pose.apply(target)
    return np.linalg.norm(moved - surface.nearest(moved)[0], axis=1) / pose.scale
