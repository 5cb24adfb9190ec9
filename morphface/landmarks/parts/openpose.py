"""Faces as OpenPose writes them: version 1.3 of its JSON, 70 points a face.

What reads it is `landmarks.files`. OpenPose's pixels have their centres at whole numbers, ours at
halves: half a pixel is taken away.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from morphface.core.files import atomic_write
from morphface.landmarks.parts.find import PartsFace
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import NOSE_AND_MOUTH, scheme, to_scheme

__all__ = ["openpose_json", "write_openpose"]

_POINTS, _VERSION, _CENTRE = 70, 1.3, 0.5
_FIVE = (68, 69, *NOSE_AND_MOUTH)
"""Where the 70 have pupils, tip of the nose and corners of the mouth."""
_EMPTY = (
    "pose_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d",
    "pose_keypoints_3d", "face_keypoints_3d", "hand_left_keypoints_3d", "hand_right_keypoints_3d",
)  # fmt: skip


def openpose_json(faces: Sequence[PartsFace | Landmarks]) -> str:
    """Faces as JSON; points that they lack are zeros, as OpenPose has it.

    Args:
        faces: of parts, or landmarks; those of the schemes "478" and "5" have pupils, too.

    Raises:
        LandmarkError: landmarks are of a scheme that there is not.
    """
    people = [
        {"person_id": [-1], "face_keypoints_2d": _row(face)} | {name: [] for name in _EMPTY}
        for face in faces
    ]
    return json.dumps({"version": _VERSION, "people": people}) + "\n"


def write_openpose(path: str | Path, faces: Sequence[PartsFace | Landmarks]) -> None:
    """Write faces as OpenPose does.

    Args:
        path: of a `.json` file.
        faces: as of `openpose_json`.

    Raises:
        LandmarkError: as of `openpose_json`.
        OutputError: the file cannot be written there.
    """
    text = openpose_json(faces)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _row(face: PartsFace | Landmarks) -> list[float]:
    table = _of_parts(face) if isinstance(face, PartsFace) else _of_landmarks(face)
    table[:, :2] = np.where(table[:, 2:] > 0, table[:, :2] - _CENTRE, 0)
    return [round(float(value), 3) for value in table.ravel()]


def _of_parts(face: PartsFace) -> Float[np.ndarray, "70 3"]:
    table = np.zeros((_POINTS, 3))
    for part, point in enumerate(face.graph.points):
        if point < _POINTS and face.confidence[part] > 0:
            table[point] = [*face.points[part], min(face.confidence[part], 1.0)]
    return table


def _of_landmarks(face: Landmarks) -> Float[np.ndarray, "70 3"]:
    groups, table = scheme(face.scheme).groups, np.zeros((_POINTS, 3))
    if face.scheme == "5":
        table[list(_FIVE)] = np.c_[face.points.numpy(), face.confidence.numpy()]
        return table
    known = to_scheme(face, "68")
    table[:68] = np.c_[known.points.numpy(), known.confidence.numpy()]
    if face.scheme == "478":
        for row, side in ((68, "right_iris"), (69, "left_iris")):
            ring = list(groups[side])
            middle = face.points[ring].mean(dim=0).tolist()
            table[row] = [*middle, float(face.confidence[ring].mean())]
    return table
