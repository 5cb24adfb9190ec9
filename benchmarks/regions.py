"""Which part of a face is a point of it? The face itself tells, whatever is fitted to it.

A point belongs to the part of the nearest of the 468 landmarks, if one is near: the skull above
them and the neck below belong to none. The parts of landmarks follow from where they lie on
MediaPipe's canonical face.
"""

from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.common import DATA

__all__ = ["PARTS", "canonical_face", "near_nose", "now_region", "part_of_marks", "part_of_points"]

PARTS = ("nose", "eyes and brows", "mouth", "cheeks", "jaw", "forehead")
REACH = 12.0  # mm from a landmark
NOSE_TIP, NEAR = 4, 85.0  # mm
# Eye corners from the subject's right to left, below the nose, corners of the mouth.
NOW_MARKS = (33, 133, 362, 263, 2, 61, 291)
CANONICAL = DATA / "ict/mediapipe_canonical_face_model.obj"


def canonical_face(path: Path = CANONICAL) -> np.ndarray:
    """The 468 vertices of MediaPipe's canonical face, in millimetres."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split()[1:4] for line in lines if line.startswith("v ")]
    return np.array(rows, dtype=float) * 10


def part_of_marks(canonical: np.ndarray) -> np.ndarray:
    """Index into `PARTS` of each landmark of the canonical face."""
    x, y = np.abs(canonical[:, 0]), canonical[:, 1]
    nose = (y > -21) & (y < 33) & (x < 8 + 0.28 * (33 - y))
    eyes = (y > 13) & (y < 53) & (x < 62)
    mouth = (y > -63) & (y <= -21) & (x < 32)
    forehead = (y > 53) | ((y > 30) & (x >= 62))
    rules = [nose, eyes, mouth, forehead, y < -46]
    names = ["nose", "eyes and brows", "mouth", "forehead", "jaw"]
    return np.select(rules, [PARTS.index(name) for name in names], PARTS.index("cheeks"))


def part_of_points(points: np.ndarray, marks: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Index into `PARTS` of each of a face's points, by the nearest of its landmarks, or -1.

    Args:
        points: of the face.
        marks: its landmarks; absent ones are not finite.
        parts: of the landmarks, which may be fewer than `marks` but come in their order.
    """
    used = np.isfinite(marks[: len(parts)]).all(1)
    away, nearest = cKDTree(marks[: len(parts)][used]).query(points)
    return np.where(away < REACH, parts[used][nearest], -1)


def near_nose(points: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Which points lie within 85 mm of the tip of the nose."""
    return np.linalg.norm(points - marks[NOSE_TIP], axis=1) < NEAR


def now_region(points: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Which points the NoW protocol measures: a ball around the face, sized by its landmarks."""
    outer_right, right, left, outer_left, below = marks[list(NOW_MARKS[:5])]
    bridge = (right + left) / 2
    width, height = np.linalg.norm(outer_right - outer_left), np.linalg.norm(bridge - below)
    centre = below + 0.3 * (bridge - below)
    return np.linalg.norm(points - centre, axis=1) <= 0.7 * (width + height)
