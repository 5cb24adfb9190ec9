"""The texture space of FLAME: an image of the mean skin and of every direction.

What the file has (`mean`, `tex_dir`, `vt`, `ft`): images whose first row is the top, channels in
the order blue, green, red, values 0 to 255; each direction is one standard deviation; texture
coordinates with (0, 0) at the lower left.

Reflectance here is per vertex: the images are sampled bilinearly at the texture coordinates of
each vertex, and averaged where a vertex has several. They hold a gigabyte, so they are read slice
by slice and never whole.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from scipy import sparse

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.basis import LinearBasis

__all__ = ["Texture", "read_texture"]

_PIXELS, _COMPONENTS = 4096**2, 1000
_LARGEST = 1e6


@dataclass(frozen=True, eq=False)
class Texture:
    """How a texture lies on a mesh, and its space at the vertices.

    Args:
        uv: texture coordinates, (0, 0) at the lower left.
        faces: indices into `uv` of each face's corners.
        reflectance: at the vertices.
    """

    uv: torch.Tensor
    faces: torch.Tensor
    reflectance: LinearBasis


def read_texture(path: Path, faces: torch.Tensor, size: int) -> Texture:
    """Read a texture space.

    Args:
        path: of the `.npz` archive.
        faces: of the model.
        size: how many vertices the model has.

    Raises:
        MissingFileError: there is no such file.
        ModelError: it is not a texture space, or not one of this model.
    """
    if not path.is_file():
        raise MissingFileError(f"there is no texture space at {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive, faces, size)
    except ModelError:
        raise
    except Exception as error:  # what a damaged archive makes zipfile raise is anything
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"texture space {path} is damaged: {reason}") from None


def _read(path: Path, archive: zipfile.ZipFile, faces: torch.Tensor, size: int) -> Texture:
    missing = [n for n in ("mean", "tex_dir", "vt", "ft") if f"{n}.npy" not in archive.namelist()]
    if missing:
        raise ModelError(f"{path} is not a texture space of FLAME: it lacks {', '.join(missing)}")
    uv, corners = _whole(archive, "vt"), _whole(archive, "ft").astype(np.int64)
    if uv.ndim != 2 or corners.shape != tuple(faces.shape):
        raise ModelError(f"texture space {path} is for {len(corners)} faces, not {len(faces)}")
    if corners.min(initial=0) < 0 or corners.max(initial=0) >= len(uv):
        raise ModelError(f"ft of texture space {path} points beyond vt")
    mean = _whole(archive, "mean")
    if mean.ndim != 3 or mean.shape[2] != 3:
        raise ModelError(f"mean of texture space {path} must be a colour image, got {mean.shape}")
    sampler = _sampler(uv[:, :2], corners, faces.numpy(), (mean.shape[0], mean.shape[1], size))
    directions = _directions(archive, mean.shape, sampler)
    colour = (sampler @ mean.reshape(-1, 3)) / 255.0
    basis = LinearBasis(_rgb(colour), _rgb(directions / 255.0))
    coordinates = torch.from_numpy(np.ascontiguousarray(uv[:, :2], dtype=np.float32))
    return Texture(coordinates, torch.from_numpy(corners), basis)


def _rgb(values: np.ndarray) -> torch.Tensor:
    """Blue, green, red become red, green, blue."""
    return torch.from_numpy(np.ascontiguousarray(values[..., ::-1], dtype=np.float32))


def _sampler(
    uv: np.ndarray, corners: np.ndarray, faces: np.ndarray, shape: tuple[int, int, int]
) -> sparse.csr_array:
    """The matrix that takes an image, row after row, to its values at the vertices."""
    height, width, size = shape
    pairs = np.unique(np.column_stack([faces.ravel(), corners.ravel()]), axis=0)
    vertex, place = pairs[:, 0], uv[pairs[:, 1]].astype(np.float64)
    x = np.clip(place[:, 0] * width - 0.5, 0, width - 1)
    y = np.clip((1 - place[:, 1]) * height - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    right, low = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    share = 1.0 / np.bincount(vertex, minlength=size)[vertex]
    entries = [
        (row * width + column, share * across * down)
        for row, down in ((top, 1 - (y - top)), (low, y - top))
        for column, across in ((left, 1 - (x - left)), (right, x - left))
    ]
    pixels, weights = (np.concatenate(part) for part in zip(*entries, strict=True))
    rows = np.tile(vertex, len(entries))
    return sparse.csr_array((weights, (rows, pixels)), shape=(size, height * width))


def _directions(
    archive: zipfile.ZipFile, image: tuple[int, ...], sampler: sparse.csr_array
) -> np.ndarray:
    """K x V x 3, from slices of H x W x 3 x K."""
    with _opened(archive, "tex_dir") as (file, shape, fortran, dtype):
        if len(shape) != 4 or shape[:3] != image or shape[3] > _COMPONENTS:
            raise ModelError(f"tex_dir must have shape {(*image, 'any')}, got {shape}")
        height, width, _, rank = shape
        if fortran:  # one image after the other
            out = np.zeros((rank, sampler.shape[0], 3))
            for k in range(rank):
                plane = _slice(file, dtype, height * width * 3)
                pixels = plane.reshape(3, width, height).transpose(2, 1, 0)
                out[k] = sampler @ pixels.reshape(-1, 3)
            return out
        columns, out = sampler.tocsc(), np.zeros((sampler.shape[0], 3 * rank))
        for row in range(height):  # one row of pixels after the other, of all images
            line = _slice(file, dtype, width * 3 * rank).reshape(width, -1)
            part = columns[:, row * width : (row + 1) * width].tocsr()
            touched = np.flatnonzero(np.diff(part.indptr))
            out[touched] += part[touched] @ line
        return out.reshape(-1, 3, rank).transpose(2, 0, 1)


def _whole(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with _opened(archive, name) as (file, shape, fortran, dtype):
        if prod(shape) > 3 * _PIXELS:
            raise ModelError(f"{name} of a texture space cannot have shape {shape}")
        return _slice(file, dtype, prod(shape)).reshape(shape, order="F" if fortran else "C")


_Array = tuple[Any, tuple[int, ...], bool, np.dtype]


@contextmanager
def _opened(archive: zipfile.ZipFile, name: str) -> Iterator[_Array]:
    """The bytes of an array, its shape, whether its columns come first, and its type."""
    with archive.open(f"{name}.npy") as file:
        version = npy.read_magic(file)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(file)
        if dtype.kind not in "iuf":
            raise ModelError(f"{name} of a texture space must be numbers, got {dtype}")
        yield file, shape, fortran, dtype


def _slice(file: Any, dtype: np.dtype, count: int) -> np.ndarray:
    data = file.read(count * dtype.itemsize)
    if len(data) < count * dtype.itemsize:
        raise EOFError("it ends too early")
    values = np.frombuffer(data, dtype)
    if not (np.abs(values) < _LARGEST).all():
        raise ModelError("a texture space has numbers that are not finite, or too large")
    return values
