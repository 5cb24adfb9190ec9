"""Landmarks that somebody else made: `.pts`, plain JSON and OpenPose's JSON.

Pixels differ by convention. Ours have the outer corner of the first pixel at (0, 0). A `.pts`
file counts from 1 at the centre of the first pixel, OpenPose from 0: half a pixel is taken away
or added. Plain JSON is in our own convention.
"""

import json
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import LandmarkError, MissingFileError
from morphface.landmarks.boxes import box_of, largest_first
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import scheme

__all__ = ["read_landmarks"]

_MAX_BYTES = 16 * 2**20
_PTS_CORNER = 0.5
_OPENPOSE_CENTRE = 0.5
_OPENPOSE_POINTS = 70  # the 68, then the pupils
_FEWEST_POINTS = 5


def read_landmarks(path: str | Path) -> list[Landmarks]:
    """The faces in a landmark file, the largest first.

    Args:
        path: a `.pts` file of 68 points; or a `.json` file, which is either one object such as
            `{"scheme": "68", "points": [[x, y], ...]}` with optional `confidence` and `depth`,
            a list of these, or what OpenPose writes. Points of zero confidence are absent.

    Raises:
        MissingFileError: there is no such file.
        LandmarkError: it is of another kind, damaged, too large, or its points do not follow
            their scheme.
    """
    path = Path(path)
    readers = {".pts": _pts, ".json": _json}
    if path.suffix.lower() not in readers:
        raise LandmarkError(f"{path} must be a .pts or .json file; convert it to one")
    try:
        faces = readers[path.suffix.lower()](_text(path))
    except LandmarkError as error:
        raise LandmarkError(f"{path} {error}") from error
    if not faces:
        raise LandmarkError(f"{path} holds no face; detect landmarks instead")
    return largest_first(faces)


def _text(path: Path) -> str:
    if not path.is_file():
        raise MissingFileError(f"there is no landmark file {path}; check the path")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LandmarkError(f"is larger than {_MAX_BYTES // 2**20} MiB; it is no such file")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LandmarkError("is not a text file; name a .pts or .json file") from error
    except OSError as error:
        raise LandmarkError(f"cannot be read: {str(error.strerror).lower()}") from error


def _pts(text: str) -> list[Landmarks]:
    head, opened, rest = text.partition("{")
    body, closed, _ = rest.partition("}")
    if not (opened and closed) or "n_points" not in head:
        raise LandmarkError("is not a .pts file: it needs n_points and points between braces")
    try:
        rows = [[float(x) for x in line.split()] for line in body.split("\n") if line.strip()]
    except ValueError as error:
        raise LandmarkError("has a point that is not two numbers; repair it") from error
    return [_face("68", rows, offset=-_PTS_CORNER)]


def _json(text: str) -> list[Landmarks]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LandmarkError("is not valid JSON; repair it") from error
    if isinstance(data, dict) and "people" in data:
        return _openpose(data["people"])
    faces = data if isinstance(data, list) else [data]
    return [_plain(face) for face in faces]


def _plain(face: Any) -> Landmarks:
    if not isinstance(face, dict) or "points" not in face or "scheme" not in face:
        raise LandmarkError('needs "scheme" and "points" for each face, or "people" of OpenPose')
    return _face(
        str(face["scheme"]), face["points"], face.get("confidence"), depth=face.get("depth")
    )


def _openpose(people: Any) -> list[Landmarks]:
    faces = []
    for person in people if isinstance(people, list) else [None]:
        values = person.get("face_keypoints_2d") if isinstance(person, dict) else None
        if values is None:
            raise LandmarkError("needs face_keypoints_2d for each person; run OpenPose with --face")
        table = _numbers("face_keypoints_2d", values)
        if table.numel() not in (0, 3 * _OPENPOSE_POINTS):
            raise LandmarkError(
                f"has {table.numel()} numbers in face_keypoints_2d, but OpenPose writes "
                f"{3 * _OPENPOSE_POINTS}"
            )
        rows = table.reshape(-1, 3)[:68]
        if int((rows[:, 2] > 0).sum()) < _FEWEST_POINTS:
            continue  # a person whose face was not seen
        _refuse_normalised(rows)
        offset = _OPENPOSE_CENTRE
        faces.append(_face("68", rows[:, :2].tolist(), rows[:, 2].clamp(max=1), offset=offset))
    return faces


def _refuse_normalised(rows: Float[Tensor, "N 3"]) -> None:
    if float(rows[:, :2].max()) <= 1.0:
        raise LandmarkError("has normalised points; run OpenPose with --keypoint_scale 0")


def _face(
    name: str, points: Any, confidence: Any = None, *, depth: Any = None, offset: float = 0.0
) -> Landmarks:
    size = scheme(name).size
    table = _numbers("points", points)
    if table.shape != (size, 2):
        raise LandmarkError(
            f"has points of shape {tuple(table.shape)}, but scheme {name} needs ({size}, 2)"
        )
    sure = torch.ones(size) if confidence is None else _numbers("confidence", confidence)
    away = None if depth is None else _numbers("depth", depth)
    for what, values in (("confidence", sure), ("depth", away)):
        if values is not None and values.shape != (size,):
            raise LandmarkError(f"has {values.numel()} values of {what} for {size} points")
    if float(sure.min()) < 0 or float(sure.max()) > 1:
        raise LandmarkError("has a confidence outside of 0 to 1; repair it")
    present = sure > 0
    if int(present.sum()) < min(_FEWEST_POINTS, size):
        raise LandmarkError(f"has {int(present.sum())} points of confidence above 0, too few")
    return Landmarks(table + offset, name, sure, box_of(table[present] + offset), away)


def _numbers(what: str, values: Any) -> Tensor:
    try:
        table = torch.as_tensor(values, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise LandmarkError(f"has {what} that are not a table of numbers; repair it") from error
    bad = int((~table.isfinite()).sum())
    if bad:
        raise LandmarkError(f"has {bad} numbers in {what} that are not finite; repair it")
    return table
