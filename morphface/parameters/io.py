"""The file format of fitted parameters: one `.npz` with a JSON header.

Version 1. Entry `header` is UTF-8 JSON in a byte array; the groups of `FaceParameters` are
float32 arrays under their own names; the camera is `camera_focal`, `camera_principal`,
`camera_size` (height, width) and, for weak perspective, `camera_weak_depth`. A version that was
ever released stays readable. Nothing is ever unpickled.
"""

import json
import zipfile
import zlib
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from morphface.core.errors import MissingFileError, MorphfaceError, ParameterError
from morphface.core.files import atomic_write
from morphface.core.version import __version__
from morphface.geometry.camera import Camera
from morphface.parameters.face import FaceParameters

__all__ = ["CONVENTIONS", "library_versions", "load_parameters", "save_parameters"]

FORMAT = "morphface parameters"
VERSION = 1
MAX_BYTES = 1 << 30
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


def library_versions() -> dict[str, str]:
    """Versions of morphface and of what it computes with, for headers and reports."""
    found = {"morphface": __version__}
    for name in ("torch", "numpy", "mediapipe"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def save_parameters(
    path: str | Path,
    parameters: FaceParameters,
    camera: Camera,
    *,
    model: str,
    extra: dict[str, Any] | None = None,
) -> None:
    """Write `parameters` and `camera` to an `.npz` file, whole or not at all.

    Args:
        path: the file to write or replace; its suffix must be `.npz`.
        parameters: of one face in T frames.
        camera: one for all frames, or one a frame.
        model: name of the morphable model that the coefficients belong to.
        extra: what else the header shall hold; plain JSON values.

    Raises:
        ParameterError: the suffix is wrong.
        OutputError: the file cannot be written there.
    """
    if Path(path).suffix != ".npz":
        raise ParameterError(f"parameters are saved as .npz, got {Path(path).name!r}")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "model": model,
        "written_with": library_versions(),
        "conventions": CONVENTIONS,
        "extra": extra or {},
    }
    arrays = {name: getattr(parameters, name) for name in _GROUPS}
    arrays |= {"camera_focal": camera.focal, "camera_principal": camera.principal}
    if camera.weak_depth is not None:
        arrays[_WEAK] = camera.weak_depth
    entries = {name: _to_array(value) for name, value in arrays.items()}
    entries["camera_size"] = np.array(camera.size, dtype=np.int64)
    entries["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **entries)


def load_parameters(path: str | Path) -> tuple[FaceParameters, Camera, dict[str, Any]]:
    """Read what `save_parameters` wrote: parameters, camera and header.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: the file is of another kind, damaged, too large, made by a newer
            morphface, or holds values that no face can have.
    """
    entries = _read_entries(Path(path))
    header = _read_header(path, entries.pop("header", None))
    missing = sorted({*_GROUPS, *_CAMERA} - set(entries))
    if missing:
        raise ParameterError(f"{path} lacks {', '.join(missing)}")
    try:
        parameters = FaceParameters(**{name: _to_tensor(name, entries[name]) for name in _GROUPS})
        camera = _read_camera(entries, parameters.frames)
    except MorphfaceError as error:
        raise ParameterError(f"{path} is not usable: {error}") from error
    return parameters, camera, header


def _to_array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy().astype(np.float32)


def _to_tensor(name: str, array: np.ndarray) -> Tensor:
    if array.dtype.kind != "f":
        raise ParameterError(f"{name} must hold floating-point numbers, got {array.dtype}")
    return torch.from_numpy(array.astype(np.float32))


def _read_entries(path: Path) -> dict[str, np.ndarray]:
    if not path.exists():
        raise MissingFileError(f"there is no parameter file {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(path, archive)
            return {
                info.filename.removesuffix(".npy"): _read_array(archive, info.filename)
                for info in archive.infolist()
            }
    except ParameterError:
        raise
    except (
        OSError,
        ValueError,
        EOFError,
        RuntimeError,
        NotImplementedError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ParameterError(
            f"{path} is not a parameter file of morphface, or it is damaged; "
            "`morphface fit` and save_parameters write such files"
        ) from error


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    total = sum(info.file_size for info in archive.infolist())
    if total > MAX_BYTES:
        raise ParameterError(f"{path} unpacks to {total} bytes, more than the {MAX_BYTES} allowed")


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One entry, whose declared shape is checked against its size before memory is taken."""
    size = archive.getinfo(name).file_size
    with archive.open(name) as stream:
        shape, _, dtype = _read_layout(stream)
        if int(np.prod(shape, dtype=object)) * dtype.itemsize > size:
            raise ValueError(f"{name} declares more than it holds")
    with archive.open(name) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _read_layout(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype]:
    if npy.read_magic(stream) == (1, 0):
        return npy.read_array_header_1_0(stream)
    return npy.read_array_header_2_0(stream)


def _read_header(path: str | Path, entry: np.ndarray | None) -> dict[str, Any]:
    try:
        header = json.loads(bytes(entry)) if entry is not None and entry.dtype == np.uint8 else None
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ParameterError(f"{path} is an .npz file, but not a parameter file of morphface")
    number = header.get("version")
    if not isinstance(number, int) or number < 1:
        raise ParameterError(f"{path} has no valid format version, got {number!r}")
    if number > VERSION:
        raise ParameterError(
            f"{path} was made by a newer morphface (format {number}, this one reads up to "
            f"{VERSION}); update morphface to read it"
        )
    return header


def _read_camera(entries: dict[str, np.ndarray], frames: int) -> Camera:
    size = entries["camera_size"]
    if size.shape != (2,) or size.dtype.kind not in "iu":
        raise ParameterError(f"camera_size must be two whole numbers, got shape {size.shape}")
    focal = _to_tensor("camera_focal", entries["camera_focal"])
    principal = _to_tensor("camera_principal", entries["camera_principal"])
    weak = _to_tensor(_WEAK, entries[_WEAK]) if _WEAK in entries else None
    if focal.shape not in [(), (1,), (frames,)] or principal.shape != (*focal.shape, 2):
        raise ParameterError(
            f"the camera must be one for all or one for each of {frames} frames, got focal "
            f"{tuple(focal.shape)} and principal {tuple(principal.shape)}"
        )
    if weak is not None and weak.shape != focal.shape:
        raise ParameterError(f"{_WEAK} must have shape {tuple(focal.shape)}")
    return Camera(focal, principal, (int(size[0]), int(size[1])), weak)
