"""The file format of fitted parameters: one `.npz` with a JSON header.

Version 2. Entry `header` is UTF-8 JSON in a byte array; the groups of `FaceParameters` are
float32 arrays under their own names; the camera is `camera_focal`, `camera_principal`,
`camera_size` (height, width) and, for weak perspective, `camera_weak_depth`. Version 1 did not say
`model_revision` in its header. A version that was ever released stays readable, and parameters of
an older revision of a built-in model are converted (`upgrade.py`). Nothing is ever unpickled.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from morphface.core.errors import MorphfaceError, ParameterError
from morphface.geometry.camera import Camera
from morphface.parameters.archive import (
    MAX_BYTES,
    check_suffix,
    library_versions,
    read_entries,
    read_header,
    to_array,
    to_tensor,
    write_entries,
)
from morphface.parameters.face import FaceParameters
from morphface.parameters.upgrade import REVISION, revision_of, upgraded

__all__ = [
    "CONVENTIONS",
    "face_entries",
    "face_of",
    "library_versions",
    "load_parameters",
    "new_header",
    "save_parameters",
]

FORMAT = "morphface parameters"
VERSION = 2
KIND = "parameter file; `morphface fit` and save_parameters write such files"
CONVENTIONS = {
    "length": "millimetres",
    "model_frame": "+x to the subject's left, +y up, +z out of the face, origin between the eyes",
    "camera_frame": "+x right, +y up, +z towards the viewer",
    "screen": "pixels, x right, y down, outer corner of the first pixel at (0, 0)",
    "rotation": "rotation vector in radians, head to camera",
    "gaze": "(yaw, pitch) in radians of the left and the right eye, relative to the head",
    "illumination": "9 spherical-harmonic coefficients for each of R, G, B, in the camera frame",
}
_GROUPS = tuple(field.name for field in fields(FaceParameters))
_CAMERA = ("camera_focal", "camera_principal", "camera_size")
_WEAK = "camera_weak_depth"


def save_parameters(
    path: str | Path,
    parameters: FaceParameters,
    camera: Camera,
    *,
    model: str,
    extra: dict[str, Any] | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write `parameters` and `camera` to an `.npz` file, whole or not at all.

    Args:
        path: the file to write or replace; its suffix must be `.npz`.
        parameters: of one face in T frames.
        camera: one for all frames, or one a frame.
        model: name of the morphable model that the coefficients belong to.
        extra: what else the header shall hold; plain JSON values.
        arrays: what else the file shall hold, by names of their own, with a slash in each.

    Raises:
        ParameterError: the suffix is wrong.
        OutputError: the file cannot be written there.
    """
    check_suffix(path, "parameters are")
    entries = {**(arrays or {}), **face_entries(parameters, camera)}
    write_entries(path, entries, new_header(FORMAT, VERSION, model, extra))


def new_header(name: str, number: int, model: str, extra: dict[str, Any] | None) -> dict[str, Any]:
    """The header of a file that is written now.

    Args:
        name: of the format.
        number: its version.
        model: that the coefficients belong to.
        extra: plain JSON values.
    """
    return {
        "format": name,
        "version": number,
        "model": model,
        REVISION: revision_of(model),
        "written_with": library_versions(),
        "conventions": CONVENTIONS,
        "extra": extra or {},
    }


def face_entries(parameters: FaceParameters, camera: Camera) -> dict[str, np.ndarray]:
    """The arrays of a file that hold parameters and camera."""
    arrays = {name: getattr(parameters, name) for name in _GROUPS}
    arrays |= {"camera_focal": camera.focal, "camera_principal": camera.principal}
    if camera.weak_depth is not None:
        arrays[_WEAK] = camera.weak_depth
    entries = {name: to_array(value) for name, value in arrays.items()}
    entries["camera_size"] = np.array(camera.size, dtype=np.int64)
    return entries


def load_parameters(path: str | Path) -> tuple[FaceParameters, Camera, dict[str, Any]]:
    """Read what `save_parameters` wrote: parameters, camera and header.

    Parameters of an older revision of the open head are converted; the header then says the
    present one as `model_revision`, and the older as `converted_from_revision`.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: the file is of another kind, damaged, too large, made by a newer
            morphface, holds values that no face can have, or cannot be converted.
    """
    entries = read_entries(Path(path), KIND, limit=MAX_BYTES)
    header = read_header(
        path, entries.pop("header", None), kind="parameter file", name=FORMAT, newest=VERSION
    )
    parameters, camera = face_of(path, entries)
    parameters, header = upgraded(path, parameters, header)
    return parameters, camera, header


def face_of(path: str | Path, entries: dict[str, np.ndarray]) -> tuple[FaceParameters, Camera]:
    """The parameters and the camera in the arrays of a file.

    Raises:
        ParameterError: arrays are missing, or hold values that no face can have.
    """
    missing = sorted({*_GROUPS, *_CAMERA} - set(entries))
    if missing:
        raise ParameterError(f"{path} lacks {', '.join(missing)}")
    try:
        parameters = FaceParameters(**{name: to_tensor(name, entries[name]) for name in _GROUPS})
        return parameters, _read_camera(entries, parameters.frames)
    except MorphfaceError as error:
        raise ParameterError(f"{path} is not usable: {error}") from error


def _read_camera(entries: dict[str, np.ndarray], frames: int) -> Camera:
    size = entries["camera_size"]
    if size.shape != (2,) or size.dtype.kind not in "iu":
        raise ParameterError(f"camera_size must be two whole numbers, got shape {size.shape}")
    focal = to_tensor("camera_focal", entries["camera_focal"])
    principal = to_tensor("camera_principal", entries["camera_principal"])
    weak = to_tensor(_WEAK, entries[_WEAK]) if _WEAK in entries else None
    if focal.shape not in [(), (1,), (frames,)] or principal.shape != (*focal.shape, 2):
        raise ParameterError(
            f"the camera must be one for all or one for each of {frames} frames, got focal "
            f"{tuple(focal.shape)} and principal {tuple(principal.shape)}"
        )
    if weak is not None and weak.shape != focal.shape:
        raise ParameterError(f"{_WEAK} must have shape {tuple(focal.shape)}")
    return Camera(focal, principal, (int(size[0]), int(size[1])), weak)
