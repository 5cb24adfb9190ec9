"""Pictures in and out: whatever one is given as becomes float32 sRGB in [0, 1], upright.

Transparent pixels are shown on white; colour profiles are converted. Of several frames, the first
is read; of the pages of a TIFF file, the one that is no reduced copy of another. What a picture has
beyond that stays beside it (`Photo.original`), and `write_photo` gives it back.
"""

import struct
import warnings
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ImageError, OutputError
from morphface.core.files import atomic_write
from morphface.media.decode import Decoded, decode, decode_samples, float_white
from morphface.media.exif import read_exif, stated_focal
from morphface.media.given import PictureSource, decode_array, name_of, read_bytes
from morphface.media.header import sample_path
from morphface.media.meshes.texture import PNG_LEVEL
from morphface.media.opening import MAX_BYTES, MAX_PIXELS, MIN_SIDE, check_size, open_picture
from morphface.media.original import Original
from morphface.media.photo import UPRIGHT, Photo, to_uint8
from morphface.media.tiffs import float_colour

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "Photo",
    "PictureSource",
    "can_write",
    "name_of",
    "read_image",
    "write_image",
    "write_photo",
]

_WITH_PROFILE = (
    ".png",
    ".apng",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".tif",
    ".tiff",
    ".webp",
    ".avif",
)
_WITH_ALPHA = (".png", ".apng", ".tif", ".tiff", ".webp", ".avif")
_HEADER = 33  # bytes of a PNG file before the chunks that may follow: signature and IHDR


def read_image(source: PictureSource) -> Photo:
    """The picture at a path, in bytes, an opened file, an array, or an image of Pillow.

    Args:
        source: a path, or `sample:` and the name of a picture that an installed package has; bytes
            or an opened file; an array or tensor, H x W x 3 in the order red, green, blue (what
            OpenCV reads is `array[..., ::-1]`), uint8, uint16 or floats in [0, 1]; an image of
            Pillow. A `Photo` comes back as it is.

    Raises:
        MissingFileError: there is no such file.
        MissingDependencyError: the sample's package is not installed.
        ImageError: it is not a picture, it is damaged, too large or too small, or its values are
            not those of a picture.
    """
    if isinstance(source, Photo):
        return source
    name = name_of(source)
    if isinstance(source, np.ndarray | Tensor):
        return _upright(decode_array(source), {}, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd files that it still reads
        if isinstance(source, Image.Image):
            check_size(name, *source.size)
            return _upright(decode(name, source, None), read_exif(source), name)
        sample = isinstance(source, str) and source.startswith("sample:")
        data = read_bytes(sample_path(name) if sample else source)
        floats = float_colour(name, data)
        if floats is not None:
            return _upright(_of_floats(name, floats), {}, name)
        with open_picture(name, data) as image:
            return _upright(decode(name, image, data), read_exif(image), name)


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
    if not can_write(path):
        raise OutputError(f"cannot write {path}: the suffix must be that of a picture, as .png")
    values = pixels if pixels.dtype == torch.uint8 else to_uint8(pixels)
    with atomic_write(path) as temporary:
        Image.fromarray(values.cpu().numpy()).save(temporary, **_kept(temporary, note))


def can_write(path: str | Path) -> bool:
    """Whether the suffix of a path is that of a picture.

    Args:
        path: of a file.
    """
    suffix = Path(path).suffix.lower()
    Image.preinit()  # the usual kinds; the others take long to import
    return suffix in Image.EXTENSION or suffix in Image.registered_extensions()


def _kept(path: Path, note: str) -> dict[str, Any]:
    """Arguments of Pillow: a quick PNG, and a note in those formats that can keep one."""
    level = {"compress_level": PNG_LEVEL} if path.suffix.lower() in (".png", ".apng") else {}
    if not note:
        return level
    exif, chunks = Image.Exif(), PngInfo()
    exif[ExifTags.Base.ImageDescription] = note
    chunks.add_text("Description", note)
    return {"exif": exif, "pnginfo": chunks, **level}


def write_photo(path: str | Path, pixels: Tensor, photo: Photo, *, note: str = "") -> None:
    """Write a changed photo with all that its file had: transparency, 16 bits, colour profile.

    Pixels that did not change have the samples that they had. Formats that cannot hold it get what
    they can: 16 bits need a PNG, transparency a PNG, TIFF, WebP or AVIF.

    Args:
        path: as in `write_image`.
        pixels: H x W x 3, in [0, 1], upright like `photo`.
        photo: what was changed.
        note: as in `write_image`.

    Raises:
        OutputError: the suffix is unknown, or the file cannot be written.
        ShapeError: `pixels` are not as many as those of `photo`.
    """
    check_shape("pixels", pixels, *photo.size, 3)
    original, suffix = photo.original, Path(path).suffix.lower()
    able = suffix in _WITH_PROFILE and (
        original is None or not original.has_alpha or suffix in _WITH_ALPHA
    )
    if original is None or not able:
        write_image(path, pixels, note=note)
        return
    original = original.redrawn(photo.pixels, pixels)
    with atomic_write(path) as temporary:
        if suffix == ".png" and original.samples.dtype == np.uint16:
            temporary.write_bytes(_deep_png(original, note))
        else:
            image = Image.fromarray(original.in_8_bits())
            image.save(temporary, icc_profile=original.profile, **_kept(temporary, note))


def _deep_png(original: Original, note: str = "") -> bytes:
    """A PNG file of 16 bits, which Pillow cannot write."""
    import av

    layout = "rgba64be" if original.has_alpha else "rgb48be"
    coder = av.CodecContext.create("png", "w")
    coder.height, coder.width = original.samples.shape[:2]
    coder.pix_fmt, coder.time_base = layout, Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(original.samples), format=layout)
    data = b"".join(bytes(packet) for given in (frame, None) for packet in coder.encode(given))
    chunks = b""
    if original.profile is not None:
        chunks += _chunk(b"iCCP", b"profile\0\0" + zlib.compress(original.profile))
    if note:
        chunks += _chunk(b"tEXt", b"Description\0" + note.encode("latin-1", "replace"))
    return data[:_HEADER] + chunks + data[_HEADER:]


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _upright(decoded: Decoded, exif: dict[int, object], name: str) -> Photo:
    height, width = decoded.values.shape[:2]
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    orientation = orientation if isinstance(orientation, int) and orientation in UPRIGHT else 1
    mirror, turns = UPRIGHT[orientation]
    pixels = torch.from_numpy(np.array(decoded.values))
    pixels = torch.rot90(pixels.flip(1) if mirror else pixels, turns).contiguous()
    original = None if decoded.original is None else decoded.original.moved(mirror, turns)
    focal = stated_focal(exif, (height, width))
    return Photo(pixels, focal, name, orientation, original=original)


def _of_floats(name: str, values: Float[np.ndarray, "H W 3"]) -> Decoded:
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ImageError(f"{name} holds {bad} values that are not finite; repair it")
    check_size(name, values.shape[1], values.shape[0])
    scaled = values / np.float32(float_white(name, values))
    return decode_samples(np.round(scaled.clip(0, 1) * 65535).astype(np.uint16), 65535)
