"""Boxes of faces: extent, overlap and order by size."""

from collections.abc import Iterable

from jaxtyping import Float
from torch import Tensor

from morphface.landmarks.points import Landmarks

__all__ = ["area", "box_of", "containment", "largest_first", "overlap"]

Box = tuple[float, float, float, float]


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
