"""What people hold when they hold a picture: a path, bytes, a file, an array, a Pillow image."""

import os
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from morphface.core.errors import ImageError
from morphface.media.decode import Decoded, decode_samples, float_white
from morphface.media.header import check_bytes, read_file
from morphface.media.opening import MAX_BYTES, check_size
from morphface.media.photo import Photo

__all__ = ["PictureSource", "decode_array", "name_of", "read_bytes"]

_CHANNELS = (1, 2, 3, 4)
_AN_ARRAY = "the array"
_WHITE = 65535


@runtime_checkable
class Readable(Protocol):
    """A file opened for reading bytes."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        ...  # pragma: no cover


PictureSource = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | Readable
    | np.ndarray[Any, np.dtype[Any]]
    | Tensor
    | Image.Image
    | Photo
)
"""A path or `sample:astronaut`; the bytes of a picture's file, or that file, opened; an array or a
tensor of H x W, H x W x 3 (RGB) or H x W x 4, in [0, 255], [0, 65535] or as floats in [0, 1]; an
image of Pillow; a `Photo`."""


def name_of(source: PictureSource) -> str:
    """What to call a picture, in messages and reports.

    Args:
        source: as it was given.
    """
    if isinstance(source, Photo):
        return source.source
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return "bytes"
    if isinstance(source, np.ndarray | Tensor):
        return "array"
    if isinstance(source, Image.Image):
        return getattr(source, "filename", "") or "image"
    name = getattr(source, "name", "")
    return name if isinstance(name, str) and name else "file"


def read_bytes(source: Any) -> bytes:
    """The bytes of a picture's file.

    Args:
        source: a path, bytes, or an opened file.

    Raises:
        MissingFileError: there is no such file.
        ImageError: it cannot be read, is too large, or is nothing that holds a picture.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | os.PathLike):
        return read_file(Path(os.fsdecode(source)))
    elif isinstance(source, Readable):
        data = _from_its_start(source)
    else:
        raise ImageError(
            f"a picture is a path, bytes, an opened file, an array, an image of Pillow or a Photo, "
            f"got {type(source).__name__}; fit_photos fits several pictures of one person"
        )
    if not isinstance(data, bytes):
        raise ImageError(f"{name_of(source)} must be opened for bytes, mode 'rb'")
    check_bytes(name_of(source), len(data))
    return data


def decode_array(values: np.ndarray[Any, np.dtype[Any]] | Tensor) -> Decoded:
    """The picture in an array.

    Args:
        values: H x W, or H x W x C with 1 to 4 channels: grey or RGB, and alpha.

    Raises:
        ImageError: it has other axes, or values of no usual range.
    """
    if isinstance(values, Tensor):
        plain = values.detach().cpu()
        values = (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
    table = _with_channels(values)
    check_size(_AN_ARRAY, table.shape[1], table.shape[0])
    if table.shape[2] < 3:
        table = np.concatenate([np.repeat(table[..., :1], 3, axis=-1), table[..., 1:]], axis=-1)
    if table.dtype.kind != "f":
        return decode_samples(np.ascontiguousarray(_integers(table)))
    table = _floats(table)
    if table.shape[2] == 3:
        return Decoded(table)
    return decode_samples(np.round(table * _WHITE).astype(np.uint16), _WHITE)


def _with_channels(values: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """H x W x C."""
    shape = values.shape
    if values.ndim == 2:
        return values[..., None]
    if values.ndim == 3 and shape[2] in _CHANNELS:
        return values
    way = ""
    if values.ndim == 3 and shape[0] in _CHANNELS:
        way = "; channels come last: turn it with .transpose(1, 2, 0) or .permute(1, 2, 0)"
    elif values.ndim == 4:
        way = "; give one picture of the batch"
    raise ImageError(
        f"an array must have shape (H, W) or (H, W, C) with 1 to 4 channels, got {shape}{way}"
    )


def _floats(values: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """The same as float32 in [0, 1]."""
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ImageError(f"{_AN_ARRAY} holds {bad} values that are not finite; repair it")
    if float_white(_AN_ARRAY, values) > 1:
        raise ImageError(
            f"{_AN_ARRAY} holds floats from {values.min():.3g} to {values.max():.3g}; floats must "
            "be in [0, 1]: divide them by 255, or give them as uint8"
        )
    return np.ascontiguousarray(values.clip(0, 1), dtype=np.float32)


def _integers(values: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    """The same as uint8, or as uint16 where that says more."""
    if values.dtype in (np.uint8, np.uint16):
        return values
    whole = values.dtype.kind in "iu"
    low, high = (int(values.min()), int(values.max())) if whole else (-1, -1)
    if low < 0 or high > _WHITE:
        told = f" from {low} to {high}" if whole else ""
        raise ImageError(
            f"{_AN_ARRAY} holds {values.dtype}{told}; give uint8, uint16, or floats in [0, 1]"
        )
    return values.astype(np.uint8 if high <= 255 else np.uint16)


def _from_its_start(file: Any) -> Any:
    """All that is in a file, also where it was just written or read."""
    if getattr(file, "seekable", lambda: False)():
        file.seek(0)
    return file.read(MAX_BYTES + 1)
