"""Faces that are a small part of the picture, or turned far: found by their boxes, then looked at.

A landmark detector sees a whole picture at a fixed, small size and misses faces below about a
sixth of it. So YuNet says where there are faces, and each is looked at on a crop around it. Two
witnesses must agree: YuNet's five points and the landmarks, or two looks at crops of different
size. Where the detector sees nobody in the crop, its landmark network is asked directly; and who
is seen in full profile is told by YuNet's five points, if these come up again in other looks.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.landmarks.boxes import (
    difference,
    distance_in,
    distinct,
    largest_first,
    overlap,
    same_face,
)
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.detectors.yunet import YuNetDetector
from morphface.landmarks.points import Landmarks, moved
from morphface.landmarks.schemes import five_points
from morphface.landmarks.unseen import read_unseen
from morphface.media.images import Photo

__all__ = ["Confirmed", "at_a_glance", "confirm", "look_again", "search_faces"]

_SAME = 0.3  # overlap from which a crop shows the face that was looked for
_CLOSE, _WIDE = 2.0, 3.0  # sides of the confirming crops, in sizes of the face
_SHOWN = 512  # side at which crops are shown: halves the error of faces of 40 to 60 pixels
_GLANCE = 2048  # longer side at which a whole picture is shown: the detector looks at 256 pixels of
# a face, and sees none that is smaller than a sixth of that
_AGREEMENT = 0.04  # mean distance of the confirmations in sizes of the face: 0.02 at most for
# faces of 30 to 270 pixels, above 0.06 for what textures look like
_WITNESS = 0.1  # mean distance of the five points likewise: 0.08 at most for faces of which YuNet
# is surer than this (46 faces of 35 to 240 pixels); above 0.14 where one of the two is wrong
_SURE = 0.8


def search_faces(
    photo: Photo,
    detector: LandmarkDetector,
    *,
    profiles: bool = True,
    most: float | None = None,
) -> list[Landmarks]:
    """All faces from about 40 pixels on, the largest first.

    It costs a look at the whole, which grows with the picture up to 22 megapixels, and one or two
    detections for each face (`benchmarks/bench_detect.py`).

    Args:
        photo: the picture.
        detector: who looks at the picture and at each crop.
        profiles: whether those count that no landmark network knows, such as full profiles; they
            have the five points of the scheme "5".
        most: pixels that are searched at most; a larger picture is shrunk, which misses faces
            that are then smaller than 20 pixels.
    """
    photo = Photo(photo.to_uint8(), source=photo.source)  # once, not for each look
    faces: list[Landmarks] = []
    for hint in distinct(largest_first(_glance(photo, detector))):
        confirmed = confirm(photo, hint, detector)
        if confirmed is not None and confirmed.doubt < _AGREEMENT:
            faces.append(confirmed.face)
    finder = YuNetDetector() if most is None else YuNetDetector(most=most)
    for hint in finder.detect(photo):
        if any(same_face(hint, face) for face in faces):
            continue
        face = _witnessed(photo, hint, detector) or read_unseen(photo, hint, profiles=profiles)
        if face is not None:
            faces.append(face)
    return distinct(largest_first(faces))


def _glance(photo: Photo, detector: LandmarkDetector) -> list[Landmarks]:
    small, shrunk = at_a_glance(photo)
    return [moved(face, 1 / shrunk, (0.0, 0.0)) for face in detector.detect(small)]


def at_a_glance(photo: Photo) -> tuple[Photo, float]:
    """The picture with as many pixels as a look at the whole makes use of, and how far it shrank.

    Args:
        photo: the picture.
    """
    height, width = photo.size
    shrunk = _GLANCE / max(height, width)
    if shrunk >= 0.75:
        return photo, 1.0
    import cv2

    size = (round(width * shrunk), round(height * shrunk))
    small = cv2.resize(photo.to_uint8().cpu().numpy(), size, interpolation=cv2.INTER_AREA)
    return replace(photo, pixels=torch.from_numpy(small), original=None), shrunk


def _witnessed(photo: Photo, hint: Landmarks, detector: LandmarkDetector) -> Landmarks | None:
    """The face around a hint of YuNet, if two witnesses agree on it."""
    close = _again(photo, hint, _CLOSE, detector)
    if close is None:
        return None
    five = five_points(close)
    sure = float(hint.confidence[0]) > _SURE
    if sure and five is not None and distance_in(hint.box, five, hint.points) < _WITNESS:
        return close
    wide = _again(photo, hint, _WIDE, detector)
    agreed = wide is not None and _apart(close, wide) < _AGREEMENT
    return close if agreed else None


def _detect_in(
    photo: Photo, square: tuple[int, int, int], detector: LandmarkDetector, *, enlarge: bool = False
) -> list[Landmarks]:
    """Faces in a square of `photo`, in the pixels of the whole picture.

    Args:
        photo: the picture.
        square: top, left and side in pixels; beyond the border, its edge is repeated.
        detector: who looks.
        enlarge: show a small square enlarged. A large one is always thinned out.
    """
    top, left, side = square
    height, width = photo.size
    step = max(side // _SHOWN, 1)
    first = step // 2
    rows = torch.arange(top + first, top + side, step).clamp(0, height - 1)
    columns = torch.arange(left + first, left + side, step).clamp(0, width - 1)
    pixels = photo.part(rows, columns)
    scale = float(step)
    if enlarge and side < _SHOWN:
        scale = side / _SHOWN
        pixels = _enlarged(pixels, _SHOWN)
    # The centre of the first sample stays where it was.
    corner = (left + first + 0.5 - 0.5 * step, top + first + 0.5 - 0.5 * step)
    return [moved(face, scale, corner) for face in detector.detect(Photo(pixels))]


@dataclass(frozen=True)
class Confirmed:
    """A face, and how far two looks at it differ.

    Args:
        face: its landmarks.
        doubt: mean distance of the points between the looks, in sizes of the face.
    """

    face: Landmarks
    doubt: float


def confirm(photo: Photo, hint: Landmarks, detector: LandmarkDetector) -> Confirmed | None:
    """The face around `hint` as two enlarged crops of different size show it.

    Args:
        photo: the picture.
        hint: a first estimate, of which only the box is used.
        detector: who looks at the crops.
    """
    close = _again(photo, hint, _CLOSE, detector)
    wide = _again(photo, hint, _WIDE, detector)
    if close is None or wide is None:
        return None
    return Confirmed(close, _apart(close, wide))


def look_again(photo: Photo, face: Landmarks, detector: LandmarkDetector) -> Confirmed | None:
    """The face as a close crop shows it, and how far that differs from `face`.

    Args:
        photo: the picture.
        face: its landmarks as found.
        detector: who looks again. None if it does not find the face again.
    """
    again = _again(photo, face, _CLOSE, detector)
    return None if again is None else Confirmed(again, _apart(face, again))


def _apart(a: Landmarks, b: Landmarks) -> float:
    """`difference`, of the five points where the two looks have different schemes."""
    if a.scheme == b.scheme:
        return difference(a, b)
    one, other = five_points(a), five_points(b)
    return math.inf if one is None or other is None else distance_in(a.box, one, other)


def _again(
    photo: Photo, hint: Landmarks, scale: float, detector: LandmarkDetector
) -> Landmarks | None:
    left, top, right, bottom = hint.box
    side = round(max(right - left, bottom - top) * scale)
    corner = (round((top + bottom - side) / 2), round((left + right - side) / 2), side)
    found = _detect_in(photo, corner, detector, enlarge=True)
    best = max(found, key=lambda face: overlap(face.box, hint.box), default=None)
    return best if best is not None and overlap(best.box, hint.box) > _SAME else None


def _enlarged(pixels: Float[Tensor, "H W 3"], side: int) -> Float[Tensor, "S S 3"]:
    planes = pixels.permute(2, 0, 1)[None]
    large = torch.nn.functional.interpolate(planes, size=(side, side), mode="bicubic")
    return large[0].permute(1, 2, 0).clamp(0, 1)
