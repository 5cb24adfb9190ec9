"""Do landmarks of a file lie in the picture, and in which of its pixels are they?

Cameras store pictures turned and say so in EXIF; programs that do not read it see other pixels than
those that are shown. `morphface` means the picture as it is shown, upright.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import LandmarkError, ParameterError
from morphface.landmarks.boxes import box_of
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import scheme, tilt

__all__ = ["PixelsOf", "placed", "turned_back"]

PixelsOf = Literal["shown", "stored"]
"""The picture as it is shown, upright, or as its file stores it."""

_LYING = math.pi / 4


def placed(
    faces: Sequence[Landmarks],
    size: tuple[int, int],
    turn: tuple[bool, int],
    pixels: PixelsOf | None = None,
) -> list[Landmarks]:
    """Landmarks of a file in pixels of the picture as it is shown.

    Args:
        faces: as the file has them.
        size: height and width of the picture as it is shown.
        turn: what makes the stored picture upright: mirrored left-right first, then turned
            counter-clockwise by so many quarter turns.
        pixels: those that the file means; None: those shown, refused where that would lay the faces
            on their sides and the other would not.

    Raises:
        LandmarkError: the faces lie outside of the picture, or it is not clear which pixels are
            meant.
        ParameterError: `pixels` is none of the two.
    """
    if pixels not in (None, *get_args(PixelsOf)):
        raise ParameterError(f"landmarks_in must be shown or stored, got {pixels!r}")
    moved = turn[0] or turn[1] % 4 != 0
    turned = [_upright(face, size, turn) for face in faces] if moved else list(faces)
    if moved and pixels is None and any(map(_lies, faces)) and not any(map(_lies, turned)):
        raise LandmarkError(
            "has faces that lie on their sides in the picture as it is shown, and stand upright in "
            "the picture as it is stored, before its EXIF orientation: say which is meant, "
            "landmarks_in='stored' (--landmarks-in stored) or 'shown'"
        )
    found = turned if pixels == "stored" else list(faces)
    for face in found:
        _check_inside(face, size)
    return found


def turned_back(face: Landmarks, size: tuple[int, int], turns: int) -> Landmarks:
    """Landmarks of a picture that was turned until faces were upright, in that before.

    Args:
        face: in the turned picture.
        size: height and width of that.
        turns: quarter turns counter-clockwise that were made.
    """
    before = size if turns % 2 == 0 else size[::-1]
    return face if turns % 4 == 0 else _upright(face, before, (False, -turns))


def _lies(face: Landmarks) -> bool:
    """Whether the line of the eyes, or that down to the mouth, is not where it is upright."""
    known = scheme(face.scheme)
    eyes = face.points[list(known.outer_eyes)].mean(dim=0)
    across, down = face.points[list(known.groups["outer_lips"])].mean(dim=0) - eyes
    return max(abs(float(tilt(face))), abs(math.atan2(float(across), float(down)))) > _LYING


def _upright(face: Landmarks, size: tuple[int, int], turn: tuple[bool, int]) -> Landmarks:
    """From the stored picture to that of `size`, which is shown."""
    mirror, turns = turn
    height, width = size if turns % 2 == 0 else size[::-1]
    x, y = face.points.unbind(dim=-1)
    x = width - x if mirror else x
    for _ in range(turns % 4):
        x, y = y, width - x
        height, width = width, height
    points = torch.stack([x, y], dim=-1)
    return replace(face, points=points, box=box_of(points[face.confidence > 0]))


def _check_inside(face: Landmarks, size: tuple[int, int]) -> None:
    height, width = size
    points: Float[Tensor, "N 2"] = face.points[face.confidence > 0]
    inside = (points >= 0).all(dim=-1) & (points <= points.new_tensor([width, height])).all(dim=-1)
    if float(inside.float().mean()) < 0.5:
        left, top, right, bottom = (round(side) for side in box_of(points))
        raise LandmarkError(
            f"has a face from ({left}, {top}) to ({right}, {bottom}), which lies outside of the "
            f"picture of {width} x {height} pixels: the landmarks are those of another picture, or "
            "of another size of it"
        )
