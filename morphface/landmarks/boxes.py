"""Boxes of faces: extent, overlap and order by size."""

from collections.abc import Iterable

from jaxtyping import Float
from torch import Tensor

from morphface.landmarks.points import Landmarks

__all__ = [
    "area",
    "box_of",
    "containment",
    "difference",
    "distance_in",
    "distinct",
    "largest_first",
    "overlap",
    "same_face",
]

Box = tuple[float, float, float, float]

_SAME = 0.3  # overlap from which two boxes are of one face
_INSIDE = 0.7  # containment from which the smaller box is a part of the other face


def box_of(points: Float[Tensor, "N 2"]) -> Box:
    """Left, top, right and bottom of `points`."""
    (left, top), (right, bottom) = points.amin(0).tolist(), points.amax(0).tolist()
    return left, top, right, bottom


def area(box: Box) -> float:
    """Area of `box`, 0 if it is empty."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _shared(a: Box, b: Box) -> float:
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def overlap(a: Box, b: Box) -> float:
    """Shared area over joint area, 0 to 1."""
    shared = _shared(a, b)
    return shared / max(area(a) + area(b) - shared, 1e-12)


def containment(a: Box, b: Box) -> float:
    """Shared area over the smaller area: 1 where one box holds the other."""
    return _shared(a, b) / max(min(area(a), area(b)), 1e-12)


def largest_first(faces: Iterable[Landmarks]) -> list[Landmarks]:
    """`faces` ordered by the area of their boxes."""
    return sorted(faces, key=lambda face: -area(face.box))


def same_face(a: Landmarks, b: Landmarks) -> bool:
    """Whether two boxes overlap, or one lies in the other, so that they are of one face."""
    return overlap(a.box, b.box) > _SAME or containment(a.box, b.box) > _INSIDE


def distinct(faces: Iterable[Landmarks]) -> list[Landmarks]:
    """The first of each group of faces whose boxes overlap, or lie in one another.

    Args:
        faces: the one to be kept first.
    """
    kept: list[Landmarks] = []
    for face in faces:
        if not any(same_face(face, other) for other in kept):
            kept.append(face)
    return kept


def distance_in(box: Box, one: Float[Tensor, "N 2"], other: Float[Tensor, "N 2"]) -> float:
    """Mean distance of points, in sizes of a box: roots of its area.

    Args:
        box: of the face.
        one: points.
        other: the same points as seen by another.
    """
    return float((one - other).norm(dim=-1).mean()) / max(area(box), 1e-6) ** 0.5


def difference(a: Landmarks, b: Landmarks) -> float:
    """Mean distance of the points of two looks, in sizes of the first one's box."""
    return distance_in(a.box, a.points, b.points)
