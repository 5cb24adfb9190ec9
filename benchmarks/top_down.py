"""Detectors that work from the top down, and how sure they are of each face they find.

YuNet says it. MediaPipe's landmarker does not: it is asked again at higher thresholds of its
detector and of its landmark network, and a face is as sure as the highest at which it is found.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.common import measure
from morphface.landmarks import YuNetDetector
from morphface.landmarks.boxes import Box, overlap
from morphface.landmarks.detectors.model_file import require_model
from morphface.landmarks.parts import PartsNetwork
from morphface.landmarks.parts.find import maps_of
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import tilt
from morphface.landmarks.unseen import follow_mesh
from morphface.media.images import Photo
from morphface.pipelines.parts.validation import COUNTED, Hits
from morphface.synthetic.crowds import Crowd, HeadBank

__all__ = [
    "Sure",
    "SureMediaPipe",
    "SureYuNet",
    "boxes_then_landmarks",
    "cost_apart",
    "hits_of_boxes",
]

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""The first is MediaPipe's default."""
SAME = 0.5
"""Overlap from which boxes at two thresholds are of one face."""
MOST = 64
APART, AHEAD = (5, 6, 160), 0.4
"""Rows and columns of cells, their sides in pixels, and the turn in radians of who looks ahead."""

Sure = tuple[Box, float]
"""A face's box and how sure it is, 0 to 1."""


class SureYuNet:
    """YuNet at its usual threshold."""

    def __init__(self) -> None:
        self._detector = YuNetDetector()

    def __call__(self, photo: Photo) -> list[Sure]:
        """The faces of a picture."""
        return [(face.box, float(face.confidence[0])) for face in self._detector.detect(photo)]


class SureMediaPipe:
    """MediaPipe's landmarker at several thresholds.

    Args:
        thresholds: from its usual one upwards.
    """

    def __init__(self, thresholds: Sequence[float] = THRESHOLDS) -> None:
        from mediapipe.tasks import python as tasks
        from mediapipe.tasks.python import vision

        base = tasks.BaseOptions(model_asset_path=str(require_model(None)))
        self._levels = {
            level: vision.FaceLandmarker.create_from_options(
                vision.FaceLandmarkerOptions(
                    base_options=base,
                    num_faces=MOST,
                    min_face_detection_confidence=level,
                    min_face_presence_confidence=level,
                )
            )
            for level in thresholds
        }

    def __call__(self, photo: Photo) -> list[Sure]:
        """The faces of a picture."""
        import mediapipe

        data = np.ascontiguousarray(photo.to_uint8().cpu().numpy())
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=data)
        found: list[Sure] = []
        for level, landmarker in self._levels.items():
            marks = landmarker.detect(image).face_landmarks
            boxes = [_box(points, photo.size) for points in marks]
            if level == min(self._levels):
                found = [(box, level) for box in boxes]
            found = [
                (box, level if any(overlap(box, each) > SAME for each in boxes) else sure)
                for box, sure in found
            ]
        return found

    def close(self) -> None:
        """Give back what the landmarkers hold."""
        for landmarker in self._levels.values():
            landmarker.close()


def _box(points: Sequence[object], size: tuple[int, int]) -> Box:
    places = np.array([[p.x, p.y] for p in points]) * size[::-1]  # type: ignore[attr-defined]
    (left, top), (right, bottom) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return left, top, right, bottom


def boxes_then_landmarks(photo: Photo, detector: YuNetDetector) -> list[Landmarks]:
    """Boxes first, by a detector that finds people in a crowd, then MediaPipe's landmarks in each.

    Args:
        photo: a picture.
        detector: who finds the boxes.
    """
    found = [follow_mesh(photo, hint.box, float(tilt(hint))) for hint in detector.detect(photo)]
    return [face for face in found if face is not None]


def hits_of_boxes(
    faces: Sequence[Sure], crowd: Crowd, rows: Sequence[int], which: np.ndarray | None = None
) -> Hits:
    """Whom of a crowd some boxes show.

    A person is where the mean of the parts that are seen lies, and in a box at most once.

    Args:
        faces: in the order in which they take people.
        crowd: the truth.
        rows: of the points that are parts.
        which: people who are meant; None means all. Others count neither way.
    """
    seen = crowd.visible[:, rows]
    meant = seen.sum(axis=1) >= COUNTED
    meant = meant if which is None else meant & which
    pairs = zip(crowd.points[:, rows], seen, strict=True)
    middles = [points[shown].mean(0) if shown.any() else None for points, shown in pairs]
    free = {k for k, middle in enumerate(middles) if middle is not None}
    right, wrong = [], []
    for (left, top, right_, bottom), sure in faces:
        inside = [k for k in free if left < middles[k][0] < right_ and top < middles[k][1] < bottom]
        if not inside:
            wrong.append(sure)
            continue
        centre = np.array([left + right_, top + bottom]) / 2
        own = min(inside, key=lambda k: float(np.linalg.norm(middles[k] - centre)))
        free.discard(own)
        right += [sure] if meant[own] else []
    return Hits(int(meant.sum()), tuple(right), tuple(wrong))


def cost_apart(network: PartsNetwork, heads: HeadBank, people: int) -> dict[str, Any]:
    """Milliseconds where nobody covers anybody and all look ahead, so that all are found.

    Args:
        network: of parts.
        heads: that are shown.
        people: how many.
    """
    photo, boxes = Photo(torch.from_numpy(faces_apart(heads, people))), YuNetDetector()
    pixels = photo.to_uint8().numpy()
    calls = {
        "network": lambda: maps_of(pixels, network, 368),
        "boxes": lambda: boxes.detect(photo),
        "top_down": lambda: boxes_then_landmarks(photo, boxes),
    }
    timed = measure(calls, runs=10, warmup=2)
    row: dict[str, Any] = {"case": "cost, apart", "people": people}
    row |= {f"{name}_ms": one["processor_ms"] for name, one in timed.items()}
    row |= {"top_down_boxes": len(boxes.detect(photo))}
    return row | {"top_down_found": len(boxes_then_landmarks(photo, boxes))}


def faces_apart(heads: HeadBank, people: int) -> np.ndarray:
    """A picture of one size with so many heads side by side, each in a cell of its own.

    Args:
        heads: that are shown; those that look ahead, again and again if they are too few.
        people: how many.
    """
    import cv2

    rows, columns, side = APART
    ahead = torch.nonzero(heads.yaw.abs() < AHEAD)[:, 0].tolist()
    out = np.full((rows * side, columns * side, 3), 128, np.uint8)
    for place in range(people):
        head = heads.pictures[ahead[place % len(ahead)]].numpy()
        shown = cv2.resize(head, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
        top, left = (side * k for k in divmod(place, columns))
        over = shown[..., :3] + 128 * (1 - shown[..., 3:] / 255)
        out[top : top + side, left : left + side] = over.clip(0, 255).round().astype(np.uint8)
    return out
