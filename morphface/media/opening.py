"""The bytes of a picture's file, opened; or one sentence that says what they are instead."""

from io import BytesIO
from mimetypes import guess_type
from pathlib import PurePath

from PIL import Image, UnidentifiedImageError

from morphface.core.errors import ImageError
from morphface.media.heif import is_heif, open_heif
from morphface.media.paths import unreadable
from morphface.media.tiffs import RAW_SUFFIXES, go_to_picture, raw_refusal

__all__ = ["MAX_BYTES", "MAX_PIXELS", "MIN_SIDE", "check_size", "open_picture"]

MAX_PIXELS = 100_000_000
MAX_BYTES = 512 * 2**20
MIN_SIDE = 32

_KINDS = (  # how files begin that are pictures of a kind, but none that is read here
    (b"v/1\x01", "an OpenEXR picture of linear light", "map its tones to PNG or JPEG"),
    (b"#?RADIANCE", "a Radiance picture of linear light", "map its tones to PNG or JPEG"),
    (b"#?RGBE", "a Radiance picture of linear light", "map its tones to PNG or JPEG"),
    (b"\xff\x0a", "a JPEG XL picture", "convert it to PNG or JPEG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture", "convert it to PNG or JPEG"),
    (b"%PDF", "a PDF document", "export its picture as PNG or JPEG"),
)


def open_picture(name: str, data: bytes) -> Image.Image:
    """The picture as Pillow opens it, at the page that counts; not decoded yet.

    Args:
        name: of the picture, for messages.
        data: of its file.

    Raises:
        ImageError: it is no picture, or one that is not read here, or too large or too small.
    """
    image = _opened(name, data)
    check_size(name, *image.size)
    try:
        go_to_picture(name, image)
    except ImageError:
        raise
    except Exception as error:  # damaged pages raise errors of many kinds
        raise ImageError(f"{name} is truncated or damaged; get an intact copy") from error
    check_size(name, *image.size)
    return image


def check_size(name: str, width: int, height: int) -> None:
    """Refuse a picture with too many pixels to read, or too few for a face.

    Args:
        name: of the picture, for messages.
        width: in pixels.
        height: in pixels.

    Raises:
        ImageError: it is too large or too small.
    """
    if width * height > MAX_PIXELS:
        raise ImageError(_too_large(name))
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width} x {height} pixels, but a face needs at least "
            f"{MIN_SIDE} x {MIN_SIDE}; use a larger picture"
        )


def _opened(name: str, data: bytes) -> Image.Image:
    if is_heif(data):
        return open_heif(name, data, MAX_PIXELS)
    try:
        return Image.open(BytesIO(data))
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(name)) from error
    except UnidentifiedImageError as error:
        raise ImageError(_stranger(name, data)) from error
    except Exception as error:  # Pillow's parsers raise many kinds on damaged headers
        if isinstance(error, OSError) and error.errno is not None:
            raise ImageError(unreadable(name, error)) from error
        raise ImageError(f"{name} has a damaged header; get an intact copy") from error


def _stranger(name: str, data: bytes) -> str:
    """What a file is that Pillow does not know."""
    suffix = PurePath(name).suffix.lower()
    if suffix in RAW_SUFFIXES:
        return raw_refusal(name, None)
    for start, kind, way in _KINDS:
        if data.startswith(start):
            return f"{name} is {kind}; {way}"
    if (guess_type(name)[0] or "").startswith("video/"):
        return f"{name} is a video, not a picture; `morphface track` fits videos"
    return f"{name} is not a picture of a known kind; convert it to PNG or JPEG"


def _too_large(name: str) -> str:
    limit = MAX_PIXELS // 1_000_000
    return f"{name} has more than {limit} million pixels by its header; save a smaller copy"
