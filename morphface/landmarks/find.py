"""The faces of a picture, however it was turned and however small they are."""

import math
from collections.abc import Iterator
from typing import Literal, get_args

import torch

from morphface.core.errors import NoFaceError, ParameterError
from morphface.landmarks.boxes import area
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.points import Landmarks, moved
from morphface.landmarks.schemes import tilt
from morphface.landmarks.search import (
    Confirmed,
    at_a_glance,
    confirm,
    look_again,
    search_faces,
)
from morphface.media.images import Photo

__all__ = ["Search", "choose", "find_faces"]

Search = Literal["auto", "always", "never"]

_SMALL = 160.0  # faces below this size in pixels are looked at again, enlarged
_SURE = 0.01  # doubt below which no other turn is tried: upright portraits have 0.006 at most,
# upside-down ones 0.015 and more
_LIMIT = 0.04  # doubt above which it is no face
_QUICK = 1.5e6  # pixels of a picture on its side that are searched for anybody


def find_faces(
    photo: Photo, detector: LandmarkDetector, *, search: Search = "auto"
) -> tuple[Photo, list[Landmarks]]:
    """The picture, turned so that its faces are upright, and these, the largest first.

    The picture is first taken as its EXIF orientation says, then as it is stored, then turned
    by quarters: the first that shows a face upright beyond doubt is returned.

    Args:
        photo: the picture.
        detector: who finds faces in it and in parts of it.
        search: when to look for faces that are a small part of the picture or seen from the side,
            which takes from a tenth of a second to seconds: "auto" if none was found else,
            "always" to find everybody, or "never".

    Raises:
        NoFaceError: nobody was found.
        ParameterError: `search` is none of the three.
    """
    if search not in get_args(Search):
        raise ParameterError(f"search must be one of {', '.join(get_args(Search))}, got {search!r}")
    view, faces = _at_a_glance(photo, detector)
    if search == "always" or (search == "auto" and not faces):
        view, faces = _thoroughly(view, detector, faces)
    if not faces:
        raise NoFaceError(
            f"no face was found in {photo.source}, whichever way it is turned; use a picture in "
            "which both eyes are seen and the face is at least 40 pixels large"
        )
    return view, faces


def choose(faces: list[Landmarks], which: str | int = "largest") -> list[Landmarks]:
    """The largest of `faces`, all of them, or the one at an index.

    Args:
        faces: the largest first, as `find_faces` returns them.
        which: "largest", "all" or an index from 0, also as text.

    Raises:
        NoFaceError: there is no face at that index.
        ParameterError: `which` is something else.
    """
    if which == "all":
        return faces
    text = "0" if which == "largest" else str(which)
    if not text.isdecimal():
        raise ParameterError(f"faces must be largest, all or an index from 0, got {which!r}")
    index = int(text)
    if index >= len(faces):
        found = f"{len(faces)} face{'s were' if len(faces) != 1 else ' was'} found"
        raise NoFaceError(f"there is no face {index}: {found}, counted from 0")
    return [faces[index]]


def _at_a_glance(photo: Photo, detector: LandmarkDetector) -> tuple[Photo, list[Landmarks]]:
    """What the detector sees in the whole picture, in the first turn that leaves no doubt."""
    small, shrunk = at_a_glance(photo)
    best: tuple[float, Photo, list[Landmarks]] = (_LIMIT, small, [])
    for view in _turns(small):
        checked = [_checked(view, face, detector) for face in detector.detect(view)]
        sure = [c for c in checked if c is not None and c.doubt < _LIMIT]
        if not sure or _quarters(sure[0].face) % 4:
            continue
        largest = max(sure, key=lambda c: area(c.face.box))
        if largest.doubt < best[0]:
            best = (largest.doubt, view, [c.face for c in sure])
        if largest.doubt < _SURE:
            break
    _, view, faces = best
    if shrunk == 1.0:
        return view, faces
    return _as(view, photo), [moved(face, 1 / shrunk, (0.0, 0.0)) for face in faces]


def _as(view: Photo, photo: Photo) -> Photo:
    """The photo turned as a view of it."""
    if view.orientation != photo.orientation:
        return photo.stored()
    return photo if view.turns == photo.turns else photo.turned(view.turns - photo.turns)


def _checked(photo: Photo, face: Landmarks, detector: LandmarkDetector) -> Confirmed | None:
    again = look_again(photo, face, detector)
    if again is None:
        return None
    if area(face.box) ** 0.5 >= _SMALL:
        return Confirmed(face, again.doubt)
    # The whole picture shows a small face too coarsely to tell doubt from lack of detail.
    return again if again.doubt < _SURE else confirm(photo, face, detector)


def _turns(photo: Photo) -> Iterator[Photo]:
    yield photo
    stored = photo.stored()
    turned = [photo.turned(k) for k in (1, 3, 2)]
    if not any(_equal(stored, other) for other in (photo, *turned)):
        yield stored
    yield from turned


def _equal(a: Photo, b: Photo) -> bool:
    return a.size == b.size and torch.equal(a.pixels, b.pixels)


def _quarters(face: Landmarks) -> int:
    """By how many counter-clockwise quarter turns the face becomes upright."""
    return round(float(tilt(face)) / (math.pi / 2))


def _thoroughly(
    photo: Photo, detector: LandmarkDetector, known: list[Landmarks]
) -> tuple[Photo, list[Landmarks]]:
    """All faces, with the picture turned as most of them need it."""
    faces = search_faces(photo, detector)
    turns = [_quarters(face) % 4 for face in faces]
    most = max(set(turns), key=turns.count, default=0)
    if known or (faces and not most):
        return photo, faces or known
    for turn in (most,) if faces else (1, 3, 2):
        turned = photo.turned(turn)
        # A quick search tells whether anybody is upright in it.
        if faces or search_faces(turned, detector, most=_QUICK):
            again = search_faces(turned, detector)
            if again:
                return turned, again
    return photo, faces
