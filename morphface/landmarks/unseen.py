"""Faces of which the landmark detector knows nothing: small ones, and those seen from the side."""

import numpy as np
import torch

from morphface.landmarks.boxes import Box, area, difference, distance_in, overlap
from morphface.landmarks.detectors.mesh import Reading, read_mesh
from morphface.landmarks.detectors.yunet import YuNetDetector
from morphface.landmarks.points import Landmarks, moved
from morphface.landmarks.schemes import five_points, mirrored, tilt
from morphface.media.images import Photo

__all__ = ["follow_mesh", "read_unseen"]

_AROUND = (1.3, 1.5)  # sides of the squares that are tried, in those of YuNet's box
_PRESENT = 0.5  # presence from which the network is believed, if two looks in a row show one face
_LOOKS = 3
_HOPELESS = 0.01  # presence below which the network is not asked again
_AGREEMENT = 0.05  # between two looks at a face, in its sizes
_WITNESS = 0.12  # between these and YuNet's points
_SURE = 0.7  # confidence of YuNet from which its points are taken for a profile
_SHOWN = (48, 64, 96)  # sizes that its box is shown in
_SIDE = 4.0  # of the crop for that, in sizes of the box
_STEADY = 0.15  # sizes of the box that the points may differ between these looks
_MOST_MISSED = 2  # of the looks, and of their mirror images


def read_unseen(photo: Photo, hint: Landmarks, *, profiles: bool = True) -> Landmarks | None:
    """The face that YuNet says is there, by the landmark network, or else by YuNet's points.

    Args:
        photo: the picture.
        hint: five points of YuNet, their confidence, and its box.
        profiles: whether YuNet's points will do.
    """
    return _by_network(photo, hint) or (_by_points(photo, hint) if profiles else None)


def follow_mesh(photo: Photo, box: Box, tilted: float = 0.0) -> Landmarks | None:
    """A face that was in a box of its landmarks a moment ago, as the landmark network sees it.

    Args:
        photo: the picture.
        box: of the landmarks.
        tilted: how far the line through the eyes was turned, in radians.
    """
    return _settled(photo, read_mesh(photo, box, tilted), looks=_LOOKS)


def _by_network(photo: Photo, hint: Landmarks) -> Landmarks | None:
    """478 points, where two squares show the same face, and where YuNet sees it."""
    tries = [read_mesh(photo, hint.box, float(tilt(hint)), around) for around in _AROUND]
    known = [reading for reading in tries if reading is not None]
    best = max(known, key=lambda reading: reading.presence, default=None)
    face = _settled(photo, best, looks=_LOOKS)
    five = None if face is None else five_points(face)
    if five is None:
        return None
    return face if distance_in(hint.box, five, hint.points) < _WITNESS else None


def _settled(photo: Photo, reading: Reading | None, *, looks: int) -> Landmarks | None:
    """The face that two looks in a row show alike, each at a square around what was seen before."""
    for _ in range(looks):
        if reading is None or reading.presence < _HOPELESS:
            return None
        again = read_mesh(photo, reading.face.box, float(tilt(reading.face)))
        alike = again is not None and difference(reading.face, again.face) < _AGREEMENT
        if again is not None and alike and min(reading.presence, again.presence) > _PRESENT:
            return again.face
        reading = again
    return None


def _by_points(photo: Photo, hint: Landmarks) -> Landmarks | None:
    """YuNet's points, each the median of several looks, also at the mirror image."""
    if float(hint.confidence[0]) < _SURE:
        return None
    looks = [look for look in _looks(photo, hint) if look is not None]
    if len(looks) + _MOST_MISSED < 2 * len(_SHOWN):
        return None
    points = torch.stack([look.points for look in looks])
    middle = points.median(dim=0).values
    size = max(area(hint.box), 1e-6) ** 0.5
    if (points - middle).norm(dim=-1).mean() > _STEADY * size:
        return None
    sure = torch.stack([look.confidence for look in looks]).median(dim=0).values
    sides = torch.tensor([look.box for look in looks]).median(dim=0).values.tolist()
    return Landmarks(middle, "5", sure, (sides[0], sides[1], sides[2], sides[3]))


def _looks(photo: Photo, hint: Landmarks) -> list[Landmarks | None]:
    import cv2

    left, top, right, bottom = hint.box
    size = max(right - left, bottom - top)
    side = _SIDE * size
    corner = np.array([(left + right - side) / 2, (top + bottom - side) / 2])
    pixels, found = photo.to_uint8().cpu().numpy(), []
    for shown in _SHOWN:
        scale = shown / size
        there = np.c_[np.eye(2) * scale, (0.5 - corner) * scale - 0.5]
        count = round(side * scale)
        crop = cv2.warpAffine(
            pixels, there, (count, count), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        for flipped in (False, True):
            view = Photo(torch.from_numpy(np.ascontiguousarray(crop[:, ::-1] if flipped else crop)))
            faces = YuNetDetector().detect(view)
            if flipped:
                faces = [mirrored(face, count) for face in faces]
            faces = [moved(f, 1 / scale, (float(corner[0]), float(corner[1]))) for f in faces]
            best = max(faces, key=lambda face: overlap(face.box, hint.box), default=None)
            same = best is not None and overlap(best.box, hint.box) > 0.3
            found.append(best if same else None)
    return found
