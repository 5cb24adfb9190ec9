"""Calibrated cameras of COLMAP (`cameras.txt`) and of NeRF datasets (`transforms.json`).

COLMAP's models are written down in its `sensor/models.h`, the fields of `transforms.json` by
instant-ngp and nerfstudio. Both count pixels from the outer corner of the first one, as we do.
Only what belongs to the lens is read; where the cameras stood is not.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from morphface.core.errors import MissingFileError, ParameterError
from morphface.geometry.intrinsics import Intrinsics

__all__ = ["camera_of", "read_cameras"]

_MAX_BYTES = 64 * 2**20
_MODELS = {  # COLMAP's model -> the names of its parameters
    "SIMPLE_PINHOLE": "f cx cy",
    "PINHOLE": "fx fy cx cy",
    "SIMPLE_RADIAL": "f cx cy k1",
    "RADIAL": "f cx cy k1 k2",
    "OPENCV": "fx fy cx cy k1 k2 p1 p2",
    "FULL_OPENCV": "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6",
}
_LENSES = (*_MODELS, "PERSPECTIVE")
_DISTORTION = ("k1", "k2", "p1", "p2", "k3")


def read_cameras(path: str | Path, size: tuple[int, int] | None = None) -> dict[str, Intrinsics]:
    """The cameras of a file, by what they are called in it.

    Args:
        path: of COLMAP's `cameras.txt`, whose cameras are called by the names of the pictures in
            the `images.txt` beside it, or by their numbers where there is none; or of a
            `transforms.json`, whose cameras are called by the names of the pictures, or "" where
            one holds for all.
        size: height and width of the pictures, for a `transforms.json` that does not say.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is of another kind, damaged, or has a lens that is not known here.
    """
    path = Path(path)
    text = _text(path)
    try:
        if text.lstrip().startswith("{"):
            return _of_transforms(json.loads(text), size)
        return _of_colmap(text, path.with_name("images.txt"))
    except ParameterError as error:
        raise ParameterError(f"{path} {error}") from error
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise ParameterError(
            f"{path} is neither a cameras.txt of COLMAP nor a transforms.json, or it is damaged"
        ) from error


def camera_of(path: str | Path, picture: str, size: tuple[int, int] | None = None) -> Intrinsics:
    """The camera that took a picture.

    Args:
        path: as in `read_cameras`.
        picture: its name or path.
        size: its height and width, as in `read_cameras`.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: the file does not tell which of its cameras it was.
    """
    cameras = read_cameras(path, size)
    if len(set(cameras.values())) == 1:
        return next(iter(cameras.values()))
    wanted = PurePosixPath(Path(picture).as_posix())
    named = [name for name in cameras if PurePosixPath(name).name == wanted.name]
    stems = [name for name in cameras if PurePosixPath(name).stem == wanted.stem]
    for found in (named, stems):
        if len({cameras[name] for name in found}) == 1:
            return cameras[found[0]]
    raise ParameterError(
        f"{path} has {len(cameras)} cameras and does not tell which one took {wanted.name}; give "
        "its numbers, as fx,fy,cx,cy"
    )


def _text(path: Path) -> str:
    if not path.is_file():
        raise MissingFileError(f"there is no camera file {path}; check the path")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ParameterError(
                f"{path} is larger than {_MAX_BYTES // 2**20} MiB; it is no such file"
            )
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParameterError(
            f"{path} is not a text file; of COLMAP, write the model as text"
        ) from error
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {str(error.strerror).lower()}") from error


def _of_colmap(text: str, images: Path) -> dict[str, Intrinsics]:
    cameras = {}
    for line in _lines(text):
        number, model, width, height, *values = line.split()
        if model not in _MODELS:
            raise ParameterError(_unknown(model))
        names = _MODELS[model].split()
        if len(values) != len(names):
            raise ParameterError(
                f"has {len(values)} numbers for a camera {model}, not {len(names)}"
            )
        given = dict(zip(names, map(float, values), strict=True))
        cameras[number] = _intrinsics(given, int(height), int(width))
    if not cameras:
        raise ParameterError("holds no camera")
    if not images.is_file():
        return cameras
    # Each picture has two lines; the first ends with the camera's number and the picture's name.
    rows = [line.split(maxsplit=9) for line in _lines(_text(images), every=2)]
    named = {
        row[9].strip(): cameras[row[8]] for row in rows if len(row) == 10 and row[8] in cameras
    }
    return named or cameras


def _lines(text: str, every: int = 1) -> list[str]:
    """Lines that are no comments; where records have several lines, the first of each."""
    lines = [line for line in text.split("\n") if not line.startswith("#")]
    return [line for line in lines[::every] if line.strip()]


def _of_transforms(data: Mapping[str, Any], size: tuple[int, int] | None) -> dict[str, Intrinsics]:
    if size is not None and not ("w" in data and "h" in data):
        data = {**data, "w": size[1], "h": size[0]}
    frames = data.get("frames", [])
    own = [frame for frame in frames if "fl_x" in frame or "camera_angle_x" in frame]
    if not own:
        return {"": _of_transform(data)}
    return {str(frame["file_path"]): _of_transform({**data, **frame}) for frame in own}


def _of_transform(data: Mapping[str, Any]) -> Intrinsics:
    model = str(data.get("camera_model", "OPENCV"))
    if model not in _LENSES or data.get("is_fisheye"):
        raise ParameterError(_unknown("OPENCV_FISHEYE" if data.get("is_fisheye") else model))
    if float(data.get("k4", 0)):
        raise ParameterError("has a coefficient k4, of a lens that is not known here")
    sides = data.get("w"), data.get("h")
    if None in sides:
        raise ParameterError("does not say the size of its pictures, w and h")
    width, height = (round(float(side)) for side in sides if side is not None)
    across = _length(data, "x", width)
    down = _length(data, "y", height) or across
    across = across or down
    if not across:
        raise ParameterError("does not say the focal length, fl_x or camera_angle_x")
    given = {"fx": across, "fy": down, "cx": width / 2, "cy": height / 2}
    names = ("cx", "cy", *_DISTORTION)
    return _intrinsics(given | {n: float(data[n]) for n in names if n in data}, height, width)


def _length(data: Mapping[str, Any], axis: str, side: int) -> float:
    """In pixels; 0 where that is not stated."""
    if f"fl_{axis}" in data:
        return float(data[f"fl_{axis}"])
    angle = float(data.get(f"camera_angle_{axis}", 0))
    return side / (2 * math.tan(angle / 2)) if angle else 0.0


def _intrinsics(given: dict[str, float], height: int, width: int) -> Intrinsics:
    if "f" in given:
        given["fx"] = given["fy"] = given.pop("f")
    if min(height, width) < 1:
        raise ParameterError(f"has a camera of {width} x {height} pixels")
    return Intrinsics(**given, size=(height, width))


def _unknown(model: str) -> str:
    return (
        f"has a camera {model}, which is not known here; known are {', '.join(_LENSES)}: undistort "
        "the pictures first"
    )
