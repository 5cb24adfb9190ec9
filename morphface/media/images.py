"""Pictures in and out: whatever the file holds becomes float32 RGB in [0, 1], upright.

What Pillow would do silently wrong (16-bit clipping, warnings, unbounded headers) is handled
here. Transparent pixels are shown on white. Of several frames, the first is read.
"""

import warnings
from dataclasses import dataclass, replace
from importlib.util import find_spec
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import (
    ImageError,
    MissingDependencyError,
    MissingFileError,
    OutputError,
)
from morphface.core.files import atomic_write
from morphface.core.records import Record
from morphface.media.exif import read_exif, stated_focal
from morphface.media.paths import check_file, unreadable

__all__ = ["MAX_BYTES", "MAX_PIXELS", "MIN_SIDE", "Photo", "read_image", "write_image"]

MAX_PIXELS = 100_000_000
MAX_BYTES = 512 * 2**20
MIN_SIDE = 32

_SAMPLES = {"astronaut": ("skimage", "data/astronaut.png")}
# EXIF orientation -> (mirror left-right first?, then quarter turns counter-clockwise) to upright.
_UPRIGHT = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 1),
    6: (False, 3),
    7: (True, 3),
    8: (False, 1),
}


@dataclass(frozen=True, eq=False)
class Photo(Record):
    """A picture, and what its file says about the camera.

    Args:
        pixels: RGB in [0, 1]. May be given in 8 bits, 0 to 255: they become floats when they are
            first asked for, and `to_uint8` costs nothing.
        focal: focal length in pixels as the file states it, None where it does not.
        source: where the picture came from.
        orientation: the EXIF orientation, 1 to 8, that was undone to get `pixels`.
        turns: quarter turns counter-clockwise applied beyond that.
    """

    pixels: Float[Tensor, "H W 3"] | UInt8[Tensor, "H W 3"]
    focal: float | None = None
    source: str = "array"
    orientation: int = 1
    turns: int = 0

    def __post_init__(self) -> None:
        check_shape("pixels", self.pixels, None, None, 3)
        if self.pixels.dtype == torch.uint8:
            object.__setattr__(self, "_bytes", self.pixels)
            object.__delattr__(self, "pixels")

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Tensor:
            """The pixels, made from the bytes that were given; kept from then on."""
            if name != "pixels" or "_bytes" not in self.__dict__:
                raise AttributeError(f"Photo has no attribute {name!r}")
            object.__setattr__(self, "pixels", torch.div(self._bytes, 255))
            return self.pixels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        given: Tensor = self.__dict__["_bytes" if "_bytes" in self.__dict__ else "pixels"]
        return given.shape[0], given.shape[1]

    def turned(self, quarter_turns: int) -> "Photo":
        """The picture turned counter-clockwise by so many quarter turns."""
        pixels = torch.rot90(self.pixels, quarter_turns % 4).contiguous()
        return replace(self, pixels=pixels, turns=(self.turns + quarter_turns) % 4)

    def stored(self) -> "Photo":
        """The picture as the file stores it: turns and EXIF orientation undone."""
        mirror, turns = _UPRIGHT[self.orientation]
        pixels = torch.rot90(self.pixels, -(self.turns + turns) % 4)
        pixels = pixels.flip(1) if mirror else pixels
        return replace(self, pixels=pixels.contiguous(), orientation=1, turns=0)

    def to_uint8(self) -> UInt8[Tensor, "H W 3"]:
        """The pixels rounded to 0..255; as they were given, if they were given so."""
        given: Tensor | None = self.__dict__.get("_bytes")
        return _to_uint8(self.pixels) if given is None else given


def read_image(source: str | Path) -> Photo:
    """The picture at a path, or a sample such as `sample:astronaut`.

    Args:
        source: a path, or `sample:` and the name of a picture that an installed package has.

    Raises:
        MissingFileError: there is no such file.
        MissingDependencyError: the sample's package is not installed.
        ImageError: it is not a picture, it is damaged, too large or too small.
    """
    path = _sample(str(source)) if str(source).startswith("sample:") else Path(source)
    _check_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd files that it still reads
        image = _open(path)
        with image:
            _check_size(path, image)
            values = _decode(path, image)
            exif = read_exif(image)
            width, height = image.size
    bad = int((~np.isfinite(values)).all(-1).sum())
    if bad:
        raise ImageError(f"{path} holds {bad} values that are not finite; repair it")
    pixels = torch.from_numpy(values)
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    orientation = orientation if orientation in _UPRIGHT else 1
    mirror, turns = _UPRIGHT[orientation]
    pixels = torch.rot90(pixels.flip(1) if mirror else pixels, turns).contiguous()
    return Photo(pixels, stated_focal(exif, (height, width)), str(source), orientation)


def write_image(path: str | Path, pixels: Tensor, *, note: str = "") -> None:
    """Write RGB `pixels`; the suffix of `path` chooses the format.

    Args:
        path: where to, such as `face.png`; an existing file is replaced only by a whole one.
        pixels: H x W x 3, uint8, or float in [0, 1].
        note: what the file says about itself: the description of its Exif data, and a text chunk
            `Description` of a PNG.

    Raises:
        OutputError: the suffix is unknown, or the file cannot be written.
    """
    check_shape("pixels", pixels, None, None, 3)
    if Path(path).suffix.lower() not in Image.registered_extensions():
        raise OutputError(f"cannot write {path}: the suffix must be that of a picture, as .png")
    values = pixels if pixels.dtype == torch.uint8 else _to_uint8(pixels)
    with atomic_write(path) as temporary:
        Image.fromarray(values.cpu().numpy()).save(temporary, **_described(note))


def _described(note: str) -> dict[str, Any]:
    """Arguments of Pillow that keep a note, in those formats that can."""
    if not note:
        return {}
    exif, chunks = Image.Exif(), PngInfo()
    exif[ExifTags.Base.ImageDescription] = note
    chunks.add_text("Description", note)
    return {"exif": exif, "pnginfo": chunks}


def _to_uint8(pixels: Float[Tensor, "H W 3"]) -> UInt8[Tensor, "H W 3"]:
    return (pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8)


def _sample(source: str) -> Path:
    name = source.removeprefix("sample:")
    if name not in _SAMPLES:
        raise MissingFileError(f"there is no sample {name!r}; there is {', '.join(_SAMPLES)}")
    package, inside = _SAMPLES[name]
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"{source} is a picture inside scikit-image, which is not installed; "
            "run: pip install scikit-image"
        )
    return Path(spec.submodule_search_locations[0]) / inside


def _check_file(path: Path) -> None:
    size = check_file(path, "picture", ImageError)
    if size > MAX_BYTES:
        raise ImageError(
            f"{path} is {size / 2**20:.0f} MiB, more than the {MAX_BYTES / 2**20:.0f} MiB that "
            "are read; save a smaller copy"
        )


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(path)) from error
    except UnidentifiedImageError as error:
        fact, way = "not a picture of a known kind", "convert it to PNG or JPEG"
        if (guess_type(path.name)[0] or "").startswith("video/"):
            fact, way = "a video, not a picture", "`morphface track` fits videos"
        raise ImageError(f"{path} is {fact}; {way}") from error
    except Exception as error:  # Pillow's parsers raise many kinds on damaged headers
        if isinstance(error, OSError) and error.errno is not None:
            raise ImageError(unreadable(path, error)) from error
        raise ImageError(f"{path} has a damaged header; get an intact copy") from error


def _too_large(path: Path) -> str:
    limit = MAX_PIXELS // 1_000_000
    return f"{path} has more than {limit} million pixels by its header; save a smaller copy"


def _check_size(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ImageError(_too_large(path))
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{path} is {width} x {height} pixels, but a face needs at least "
            f"{MIN_SIDE} x {MIN_SIDE}; use a larger picture"
        )


def _decode(path: Path, image: Image.Image) -> np.ndarray[Any, np.dtype[np.float32]]:
    try:
        image.load()
        return _rgb(image)
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError, ...
        raise ImageError(f"{path} is truncated or damaged; get an intact copy") from error


def _rgb(image: Image.Image) -> np.ndarray[Any, np.dtype[np.float32]]:
    if image.mode == "F" or image.mode.startswith("I"):  # Pillow would clip these at 255
        grey = np.asarray(image).astype(np.float32)
        grey = np.clip(grey / _full_scale(image.mode, grey), 0.0, 1.0)
        return np.repeat(grey[..., None], 3, axis=-1)
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.new("RGBA", over.size, "white")
        image.alpha_composite(over)
    return np.asarray(image.convert("RGB")).astype(np.float32) / 255.0


def _full_scale(mode: str, grey: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """The value of white: by the mode where it says so, else the first usual one that fits."""
    if mode.startswith("I;16"):
        return 65535.0
    usual = (1.0, 255.0, 65535.0) if mode == "F" else (255.0, 65535.0)
    return next((white for white in usual if grey.max() <= white), float(2**31 - 1))
