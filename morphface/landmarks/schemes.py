"""Landmark schemes: which points they have, what these are called, and what follows from them.

"478" is MediaPipe's mesh with irises, "68" the Multi-PIE (iBUG) order, "5" the centres of the
eyes, the nose tip and the corners of the mouth. Left and right are the subject's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import LandmarkError
from morphface.landmarks import tables
from morphface.landmarks.boxes import box_of
from morphface.landmarks.points import Landmarks

__all__ = [
    "NOSE_AND_MOUTH",
    "SCHEMES",
    "Scheme",
    "five_points",
    "mirrored",
    "outer_eye_distance",
    "scheme",
    "tilt",
    "to_scheme",
]


@dataclass(frozen=True)
class Scheme:
    """A set of named landmarks in a fixed order.

    Args:
        name: as in `Landmarks.scheme`.
        size: how many points it has.
        groups: indices of each named part; parts may share points.
        contour: indices of points that lie on the silhouette and so slide over the surface
            when the head turns.
        outer_eyes: the outer corner of the right and the left eye; for "5" the eyes' centres.
        mirror: the point that each one becomes when the face is mirrored.
    """

    name: str
    size: int
    groups: Mapping[str, tuple[int, ...]]
    contour: tuple[int, ...]
    outer_eyes: tuple[int, int]
    mirror: tuple[int, ...]


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


_MESH = Scheme(
    name="478",
    size=478,
    groups=MappingProxyType(
        {
            "oval": tables.FACE_OVAL,
            "right_brow": tables.RIGHT_BROW,
            "left_brow": tables.LEFT_BROW,
            "nose": tables.NOSE,
            "right_eye": tables.RIGHT_EYE,
            "left_eye": tables.LEFT_EYE,
            "outer_lips": tables.OUTER_LIPS,
            "inner_lips": tables.INNER_LIPS,
            "right_iris": tables.RIGHT_IRIS,
            "left_iris": tables.LEFT_IRIS,
        }
    ),
    contour=tables.FACE_OVAL,
    outer_eyes=(33, 263),
    mirror=tables.MIRROR,
)

_MULTI_PIE = Scheme(
    name="68",
    size=68,
    groups=MappingProxyType(
        {
            "jaw": _span(0, 16),
            "right_brow": _span(17, 21),
            "left_brow": _span(22, 26),
            "nose": _span(27, 35),
            "right_eye": _span(36, 41),
            "left_eye": _span(42, 47),
            "outer_lips": _span(48, 59),
            "inner_lips": _span(60, 67),
        }
    ),
    contour=_span(0, 16),
    outer_eyes=(36, 45),
    mirror=(
        *reversed(range(17)),
        *reversed(range(17, 27)),
        *(27, 28, 29, 30),
        *reversed(range(31, 36)),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
        *(64, 63, 62, 61, 60, 67, 66, 65),
    ),
)

NOSE_AND_MOUTH = (30, 48, 54)
"""Tip of the nose, right and left corner of the mouth, among the 68 points."""

_FIVE = Scheme(
    name="5",
    size=5,
    groups=MappingProxyType(
        {"right_eye": (0,), "left_eye": (1,), "nose": (2,), "outer_lips": (3, 4)}
    ),
    contour=(),
    outer_eyes=(0, 1),
    mirror=(1, 0, 2, 4, 3),
)

SCHEMES: Mapping[str, Scheme] = MappingProxyType({s.name: s for s in (_MESH, _MULTI_PIE, _FIVE)})


def scheme(name: str) -> Scheme:
    """The scheme called `name`.

    Raises:
        LandmarkError: there is none of that name.
    """
    if name not in SCHEMES:
        raise LandmarkError(f"unknown landmark scheme {name!r}; there are {', '.join(SCHEMES)}")
    return SCHEMES[name]


def outer_eye_distance(points: Float[Tensor, "*batch N C"], name: str) -> Float[Tensor, "*batch"]:
    """Distance between the outer corners of the eyes, which landmark errors are divided by.

    For "5", which has no corners, it is the distance between the eyes' centres.

    Args:
        points: landmarks on the screen or in space.
        name: their scheme.

    Raises:
        LandmarkError: the scheme is unknown.
        ShapeError: `points` has not as many points as the scheme.
    """
    which = scheme(name)
    check_shape("points", points, which.size, None)
    right, left = which.outer_eyes
    return (points[..., left, :] - points[..., right, :]).norm(dim=-1)


def tilt(face: Landmarks) -> Float[Tensor, ""]:
    """How far the line through the eyes is turned clockwise on the screen, in radians."""
    right, left = scheme(face.scheme).outer_eyes
    across = face.points[left] - face.points[right]
    return torch.atan2(across[1], across[0])


def mirrored(face: Landmarks, width: float) -> Landmarks:
    """The landmarks of the same face in the mirrored picture. Its own inverse.

    Args:
        face: landmarks in the picture as it is. The names of `scores` keep their sides.
        width: of the picture, in pixels.
    """
    order = _index(scheme(face.scheme).mirror)
    points = torch.stack([width - face.points[:, 0], face.points[:, 1]], dim=-1)[order]
    return replace(
        face,
        points=points,
        confidence=face.confidence[order],
        depth=None if face.depth is None else face.depth[order],
        box=(width - face.box[2], face.box[1], width - face.box[0], face.box[3]),
    )


def to_scheme(face: Landmarks, name: str) -> Landmarks:
    """The points of `face` in a scheme that its own scheme contains.

    Args:
        face: landmarks, of scheme "478" where the scheme changes.
        name: "478" to "68" selects mesh points; any scheme is in itself.

    Raises:
        LandmarkError: `face` does not contain the points of that scheme.
    """
    if name == face.scheme:
        return face
    if (face.scheme, name) != ("478", "68"):
        raise LandmarkError(
            f"landmarks of scheme {face.scheme!r} do not contain those of {name!r}; "
            "use a detector or file that gives them"
        )
    order = _index(tables.MESH_OF_68)
    return replace(
        face,
        scheme="68",
        points=face.points[order],
        confidence=face.confidence[order],
        depth=None if face.depth is None else face.depth[order],
        box=box_of(face.points[order]),
    )


def five_points(face: Landmarks) -> Float[Tensor, "5 2"] | None:
    """Centres of the eyes, the right one first, tip of the nose, and corners of the mouth.

    Args:
        face: landmarks of any scheme. None if that does not tell them.
    """
    if face.scheme == "5":
        return face.points
    if face.scheme not in ("478", "68"):
        return None
    known, groups = to_scheme(face, "68"), _MULTI_PIE.groups
    points, eyes = known.points, [list(groups[side]) for side in ("right_eye", "left_eye")]
    if not bool((known.confidence[[*eyes[0], *eyes[1], *NOSE_AND_MOUTH]] > 0).all()):
        return None
    centres = [points[eye].mean(dim=0) for eye in eyes]
    return torch.stack([*centres, *points[list(NOSE_AND_MOUTH)]])


def _index(numbers: tuple[int, ...]) -> Int[Tensor, " N"]:
    return torch.tensor(numbers)
