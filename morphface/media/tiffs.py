"""Which page of a TIFF file is the picture? And is it a picture, or what a camera's sensor saw?"""

from io import BytesIO
from pathlib import PurePath
from typing import Any

import numpy as np
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from morphface.core.errors import ImageError

__all__ = ["RAW_SUFFIXES", "float_colour", "go_to_picture", "raw_refusal"]

RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef"}
    | {".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2"}
    | {".srf", ".srw", ".x3f"}
)
"""What the files of cameras' sensors end with."""

_KIND, _BITS, _PHOTOMETRIC, _FORMAT, _DNG = 254, 258, 262, 339, 50706
_SENSOR = (32803, 34892)  # colour filter array, and linear raw
_REDUCED, _MASK = 1, 4
_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_FORMATS = {1: "integers", 2: "signed integers", 3: "floats", 5: "complex integers", 6: "complex"}
_PAGES = 1000
_APART = 4
"""A page of so many times the pixels of any other is the picture, the others are copies of it."""


def go_to_picture(name: str, image: Image.Image) -> None:
    """Turn an opened TIFF file to the page that holds its picture.

    Args:
        name: of the picture, for messages.
        image: as Pillow opened it.

    Raises:
        ImageError: it is a camera's raw file, or there is not one picture in it.
    """
    if image.format != "TIFF":
        if PurePath(name).suffix.lower() in RAW_SUFFIXES:
            raise ImageError(raw_refusal(name, image.size))
        return
    full, largest = [], (0, 0)
    for page in range(min(getattr(image, "n_frames", 1), _PAGES)):
        image.seek(page)
        tags: Any = getattr(image, "tag_v2", {})
        sensor = _DNG in tags or tags.get(_PHOTOMETRIC) in _SENSOR
        if sensor or PurePath(name).suffix.lower() in RAW_SUFFIXES:
            raise ImageError(raw_refusal(name, image.size))
        largest = max(largest, image.size)
        if not int(tags.get(_KIND, 0)) & (_REDUCED | _MASK):
            full.append((image.size[0] * image.size[1], page))
    if not full:
        raise ImageError(raw_refusal(name, largest))
    full.sort(reverse=True)
    if len(full) > 1 and full[0][0] < _APART * full[1][0]:
        raise ImageError(
            f"{name} holds {len(full)} pages; save the one you mean as a picture of its own"
        )
    image.seek(full[0][1])


def raw_refusal(name: str, size: tuple[int, int] | None) -> str:
    """The sentence for a file of a camera's sensor.

    Args:
        name: of the picture.
        size: width and height of what was found in it, if that can be read.
    """
    found = (
        "" if size is None else f", of which only a preview of {size[0]} x {size[1]} can be read"
    )
    return f"{name} is a camera's raw file{found}; develop it to a JPEG, PNG or 16-bit TIFF first"


def float_colour(name: str, data: bytes) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    """The colours of a TIFF file in floats of 32 bits, which Pillow cannot read.

    Args:
        name: of the picture, for messages.
        data: of the file.

    Returns:
        H x W x 3; None where it is no TIFF file, or one that Pillow reads.

    Raises:
        ImageError: it is one of a kind that cannot be read here; the message says which.
    """
    if data[:4] not in _MAGICS or _is_known(data):
        return None
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
        source = BytesIO(data)
        source.seek(tags.next)
        tags.load(source)
        bits = tuple(tags.get(_BITS, (1,)))
        kind = tuple(tags.get(_FORMAT, (1,)))[0]
    except Exception:  # damaged tags raise errors of many kinds
        return None
    if set(bits) == {32} and kind == 3 and len(bits) == 3:
        return _decoded(data)
    raise ImageError(
        f"{name} is a TIFF file of {len(bits)} x {bits[0]}-bit {_FORMATS.get(kind, 'values')}, "
        "which cannot be read here; save it in 8 or 16 bits"
    )


def _is_known(data: bytes) -> bool:
    try:
        Image.open(BytesIO(data)).close()
    except UnidentifiedImageError:
        return False
    except Exception:  # damaged headers raise errors of many kinds; they are told apart elsewhere
        return True
    return True


def _decoded(data: bytes) -> np.ndarray[Any, np.dtype[np.float32]] | None:
    import av

    try:
        with av.open(BytesIO(data), "r") as container:
            frame = next(container.decode(video=0))
            known = frame.format.name.startswith("rgbf32")
            return frame.to_ndarray().astype(np.float32) if known else None
    except (av.error.FFmpegError, StopIteration, ValueError):
        return None
