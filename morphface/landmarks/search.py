"""Faces that are a small part of the picture: look at overlapping tiles of several scales.

A detector sees a whole picture at a fixed, small size and misses faces below about a sixth of
it. Here every face is large in some tile. What a tile shows is only a hint: each face is found
again on crops around it, so that precision does not depend on where the tiles lie, and a hint
that does not come up again alike is dropped as an illusion.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.landmarks.boxes import area, containment, largest_first, overlap
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.points import Landmarks, moved
from morphface.media.images import Photo

__all__ = ["Confirmed", "confirm", "look_again", "search_faces"]

_SMALLEST_TILE = 192  # a face of 40 pixels is a fifth of it
_STEP = 0.55  # of a tile: a face of up to 0.45 of a tile is whole in one of them
_SAME = 0.3  # overlap from which two boxes are one face
_INSIDE = 0.7  # containment from which the smaller box is a part of the other face
_CLOSE, _WIDE = 2.0, 3.0  # sides of the confirming crops, in sizes of the face
_SHOWN = 512  # side at which crops are shown: halves the error of faces of 40 to 60 pixels
_AGREEMENT = 0.04  # mean distance of the confirmations in sizes of the face: 0.02 at most for
# faces of 30 to 270 pixels, above 0.06 for what textures look like


def search_faces(photo: Photo, detector: LandmarkDetector) -> list[Landmarks]:
    """All faces from about 40 pixels on, the largest first.

    It costs one detection for each tile and two for each face, so it is for pictures with
    several people, and for those in which a look at the whole found nobody.

    Args:
        photo: the picture.
        detector: who looks at each tile.
    """
    hints = list(detector.detect(photo))
    for tile in _tiles(*photo.size):
        if not any(_within(tile, hint) for hint in hints):
            hints += _detect_in(photo, tile, detector)
    faces: list[Landmarks] = []
    for hint in _distinct(hints):
        confirmed = confirm(photo, hint, detector)
        if confirmed is not None and confirmed.doubt < _AGREEMENT:
            faces.append(confirmed.face)
    return largest_first(_distinct(faces))


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
    pixels = photo.pixels[rows][:, columns]
    scale = float(step)
    if enlarge and side < _SHOWN:
        scale = side / _SHOWN
        pixels = _enlarged(pixels, _SHOWN)
    # The centre of the first sample stays where it was.
    corner = (left + first + 0.5 - 0.5 * step, top + first + 0.5 - 0.5 * step)
    return [moved(face, scale, corner) for face in detector.detect(Photo(pixels))]


def _tiles(height: int, width: int) -> Iterator[tuple[int, int, int]]:
    """Top, left and side of each tile, the largest first."""
    sides = [_SMALLEST_TILE]
    while sides[-1] * 2 < max(height, width):
        sides.append(sides[-1] * 2)
    for side in reversed(sides):
        for top in _starts(height, side):
            for left in _starts(width, side):
                yield top, left, side


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin so that they cover `length` evenly."""
    if length <= side:
        return [(length - side) // 2]
    count = -(-(length - side) // int(side * _STEP)) + 1
    return torch.linspace(0, length - side, count).round().int().tolist()


def _within(tile: tuple[int, int, int], face: Landmarks) -> bool:
    """Whether there is nothing to find in a tile because one face covers it."""
    top, left, side = tile
    box = (float(left), float(top), float(left + side), float(top + side))
    return area(box) < area(face.box) and containment(box, face.box) > _INSIDE


def _distinct(faces: Iterable[Landmarks]) -> list[Landmarks]:
    """One of each group of overlapping faces: the largest, which is the least cut off."""
    kept: list[Landmarks] = []
    for face in largest_first(faces):
        if all(not _same(face, other) for other in kept):
            kept.append(face)
    return kept


def _same(a: Landmarks, b: Landmarks) -> bool:
    return overlap(a.box, b.box) > _SAME or containment(a.box, b.box) > _INSIDE


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
    return Confirmed(close, _difference(close, wide))


def look_again(photo: Photo, face: Landmarks, detector: LandmarkDetector) -> Confirmed | None:
    """The face as a close crop shows it, and how far that differs from `face`.

    Args:
        photo: the picture.
        face: its landmarks as found.
        detector: who looks again. None if it does not find the face again.
    """
    again = _again(photo, face, _CLOSE, detector)
    return None if again is None else Confirmed(again, _difference(face, again))


def _difference(a: Landmarks, b: Landmarks) -> float:
    distance = (a.points - b.points).norm(dim=-1).mean()
    return float(distance) / max(area(a.box), 1e-6) ** 0.5


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
