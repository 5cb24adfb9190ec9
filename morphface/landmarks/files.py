"""Landmarks that somebody else made: `.pts`, plain JSON, OpenPose's JSON, tables.

Pixels differ by convention. Ours have the outer corner of the first pixel at (0, 0). A `.pts`
file counts from 1 at the centre of the first pixel, OpenPose from 0: half a pixel is taken away
or added. Plain JSON and tables are in our own convention.
"""

import json
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import LandmarkError, MissingFileError
from morphface.landmarks.boxes import box_of, largest_first
from morphface.landmarks.layouts import layout, layout_of
from morphface.landmarks.points import Landmarks
from morphface.landmarks.tables_in_files import faces_of_array, faces_of_csv

__all__ = ["read_landmarks"]

_MAX_BYTES = 16 * 2**20
_PTS_CORNER = 0.5
_OPENPOSE_CENTRE = 0.5
_OPENPOSE_POINTS = 70  # the 68, then the pupils
_FEWEST_POINTS = 5
_SHARES = 2.0


def read_landmarks(path: str | Path) -> list[Landmarks]:
    """The faces in a landmark file, the largest first.

    Args:
        path: a `.pts` file; a `.json` file, which is either one object such as
            `{"scheme": "68", "points": [[x, y], ...]}` with optional `confidence` and `depth`, a
            list of these, plain points, or what OpenPose writes; a `.csv` file with a row for each
            point, or for each face as OpenFace writes them; or a `.npy` file of N x 2 numbers. The
            schemes are "478", "68" and "5" and those of `landmarks.layouts`; where none is named,
            the number of points tells. Points of zero confidence are absent.

    Raises:
        MissingFileError: there is no such file.
        LandmarkError: it is of another kind, damaged, too large, or its points do not follow
            their scheme, or are shares of the picture and no pixels.
    """
    path = Path(path)
    readers = {".pts": _pts, ".json": _json, ".csv": _csv, ".npy": _npy}
    if path.suffix.lower() not in readers:
        raise LandmarkError(f"{path} must be a .pts, .json, .csv or .npy file; convert it to one")
    try:
        faces = readers[path.suffix.lower()](_bytes(path))
    except LandmarkError as error:
        raise LandmarkError(f"{path} {error}") from error
    if not faces:
        raise LandmarkError(f"{path} holds no face; detect landmarks instead")
    return largest_first(faces)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise MissingFileError(f"there is no landmark file {path}; check the path")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise LandmarkError(f"is larger than {_MAX_BYTES // 2**20} MiB; it is no such file")
        return path.read_bytes()
    except OSError as error:
        raise LandmarkError(f"cannot be read: {str(error.strerror).lower()}") from error


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LandmarkError("is not a text file; name a .pts, .json or .csv file") from error


def _pts(data: bytes) -> list[Landmarks]:
    head, opened, rest = _text(data).partition("{")
    body, closed, _ = rest.partition("}")
    if not (opened and closed) or "n_points" not in head:
        raise LandmarkError("is not a .pts file: it needs n_points and points between braces")
    try:
        rows = [[float(x) for x in line.split()] for line in body.split("\n") if line.strip()]
    except ValueError as error:
        raise LandmarkError("has a point that is not two numbers; repair it") from error
    return [_face(None, rows, offset=-_PTS_CORNER)]


def _csv(data: bytes) -> list[Landmarks]:
    return [_face(None, points) for points in faces_of_csv(_text(data))]


def _npy(data: bytes) -> list[Landmarks]:
    return [_face(None, points) for points in faces_of_array(data)]


def _json(text: bytes) -> list[Landmarks]:
    try:
        data = json.loads(_text(text))
    except (ValueError, RecursionError) as error:
        raise LandmarkError("is not valid JSON; repair it") from error
    if isinstance(data, dict) and "people" in data:
        return _openpose(data["people"])
    if isinstance(data, list) and data and not isinstance(data[0], dict):
        return [_plain({"points": data})]  # of one face, and nothing else
    faces = data if isinstance(data, list) else [data]
    return [_plain(face) for face in faces]


def _plain(face: Any) -> Landmarks:
    if not isinstance(face, dict) or "points" not in face:
        raise LandmarkError('needs "points" and "scheme" for each face, or "people" of OpenPose')
    name = None if face.get("scheme") is None else str(face["scheme"])
    return _face(name, face["points"], face.get("confidence"), depth=face.get("depth"))


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
        if float(rows[:, :2].max()) <= 1.0:
            raise LandmarkError("has normalised points; run OpenPose with --keypoint_scale 0")
        offset = _OPENPOSE_CENTRE
        faces.append(_face("68", rows[:, :2].tolist(), rows[:, 2].clamp(max=1), offset=offset))
    return faces


def _face(
    name: str | None, points: Any, confidence: Any = None, *, depth: Any = None, offset: float = 0.0
) -> Landmarks:
    table = _numbers("points", points)
    if table.ndim == 2 and table.shape[1] == 3:
        table = table[:, :2]  # the third is a depth of unknown scale
    if table.ndim != 2 or table.shape[1] != 2:
        raise LandmarkError(f"has points of shape {tuple(table.shape)}, but landmarks are (N, 2)")
    order = layout_of(table) if name is None else layout(name)
    size = order.size
    if len(table) != size:
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
    _refuse_normalised(table[present])
    table, sure = order.of_scheme(table + offset), order.of_scheme(sure)
    away = None if away is None else order.of_scheme(away)
    return Landmarks(table, order.scheme, sure, box_of(table[sure > 0]), away)


def _refuse_normalised(points: Float[Tensor, "N 2"]) -> None:
    """A face of two pixels is none: such numbers are shares of the picture."""
    low, high = float(points.min()), float(points.max())
    if max(abs(low), abs(high)) <= _SHARES:
        raise LandmarkError(
            f"has points within {low:.3g} to {high:.3g}, which are shares of the picture: multiply "
            "x by its width and y by its height, in pixels"
        )


def _numbers(what: str, values: Any) -> Tensor:
    try:
        table = torch.as_tensor(values, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise LandmarkError(f"has {what} that are not a table of numbers; repair it") from error
    bad = int((~table.isfinite()).sum())
    if bad:
        raise LandmarkError(f"has {bad} numbers in {what} that are not finite; repair it")
    return table
