"""HEIC and AVIF photos, as phones take them.

PyAV's FFmpeg decodes the coding but does not know how the parts of such a file make a picture:
tiles side by side, turns, the profile and EXIF are read from the file's boxes (`heif_boxes`). What
is put together in another way needs `pillow-heif`.
"""

import struct
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import ExifTags, Image, features

from morphface.core.errors import ImageError
from morphface.media.heif_boxes import Items, read_items
from morphface.media.spaces import code_points, is_beyond_srgb

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["is_heif", "open_heif"]

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"miaf", b"mif2")
_AVIF = (b"avif", b"avis")
_PROFILES = (b"prof", b"rICC")
_SRGB = (1, 13)
_CODINGS = (b"hvc1", b"hev1", b"av01")
_READERS = ("pillow_heif", "pi_heif")
_EXIF_START = b"Exif\0\0"


def is_heif(data: bytes) -> bool:
    """Whether a file is a picture of this kind that Pillow cannot read itself.

    Args:
        data: of the file.
    """
    if data[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[k : k + 4] for k in range(16, end, 4))}
    avif = brands.intersection(_AVIF)
    if avif:  # Pillow leaves HDR and wide colours as they are coded
        return not features.check("avif") or is_beyond_srgb(code_points(data))
    return bool(brands.intersection(_BRANDS))


def open_heif(name: str, data: bytes, most_pixels: int) -> Image.Image:
    """The upright picture of a file, with its colour profile and EXIF as Pillow keeps them.

    Args:
        name: of the picture, for messages.
        data: of the file.
        most_pixels: that are decoded.

    Raises:
        ImageError: it is damaged, or too large.
    """
    try:
        items = read_items(data)
        kind = items.kinds.get(items.primary, b"nothing")
        if kind in (b"grid", *_CODINGS):
            return _assembled(name, data, items, most_pixels)
        return _by_pillow_heif(name, data, kind.decode("latin-1"))
    except ImageError:
        raise
    except Exception as error:  # damaged files raise errors of many kinds, in each of the readers
        raise ImageError(f"{name} is truncated or damaged; get an intact copy") from error


def _by_pillow_heif(name: str, data: bytes, kind: str) -> Image.Image:
    reader = next((module for module in _READERS if find_spec(module)), None)
    if reader is None:
        raise ImageError(
            f"{name} is a HEIF picture put together in a way ({kind!r}) that is not read here; "
            "pip install pillow-heif, or convert it to PNG or JPEG"
        )
    image: Image.Image = import_module(reader).open_heif(BytesIO(data)).to_pillow()
    return image


def _assembled(name: str, data: bytes, items: Items, most_pixels: int) -> Image.Image:
    if items.kinds[items.primary] == b"grid":
        rows, columns, height, width = _grid(items.content(items.primary, data))
        tiles = items.parts[items.primary]
    else:
        rows, columns, tiles = 1, 1, [items.primary]
        height, width = _extent(items)
    if width * height > most_pixels or len(tiles) != rows * columns:
        raise ImageError(
            f"{name} has more than {most_pixels // 1_000_000} million pixels, or not as many parts "
            "as it says, by its header; save a smaller copy"
        )
    parts = _decoded(data, set(tiles), _code_points(items))
    strips = [
        np.hstack([parts[t] for t in tiles[r * columns : (r + 1) * columns]]) for r in range(rows)
    ]
    image = Image.fromarray(_upright(np.vstack(strips)[:height, :width], items))
    for box, body in items.of(items.primary):
        if box == b"colr" and body[:4] in _PROFILES:
            image.info["icc_profile"] = body[4:]
    exif = next((item for item, kind in items.kinds.items() if kind == b"Exif"), None)
    if exif is not None:
        image.info["exif"] = _exif(items.content(exif, data))
    return image


def _code_points(items: Items) -> tuple[int, int] | None:
    """Primaries and transfer curve, as the box says; those of sRGB where a profile says more."""
    stated = [body for box, body in items.of(items.primary) if box == b"colr"]
    if any(body[:4] in _PROFILES for body in stated):
        return _SRGB
    found = next((body for body in stated if body[:4] == b"nclx"), b"")
    return struct.unpack_from(">HH", found, 4) if len(found) >= 8 else None


def _decoded(
    data: bytes, wanted: set[int], points: tuple[int, int] | None
) -> dict[int, np.ndarray[Any, np.dtype[np.uint8]]]:
    """The pictures of items, by their numbers, which FFmpeg gives to its streams."""
    import av

    from morphface.media.video.picture import Picture  # which needs pictures itself

    found: dict[int, np.ndarray[Any, np.dtype[np.uint8]]] = {}
    with av.open(BytesIO(data), "r") as container:
        streams = [stream for stream in container.streams.video if stream.id in wanted]
        streams = streams or [container.streams.video[0]]
        for packet in container.demux(streams):
            for frame in cast("list[VideoFrame]", packet.decode()):
                number = packet.stream.id if packet.stream.id in wanted else min(wanted)
                if points is not None:  # the file's word counts before that of the coding
                    frame.color_primaries, frame.color_trc = points
                picture = Picture(frame, Fraction(1), as_stored=True)
                found.setdefault(number, picture.tensor(frame).numpy())
    return found


def _upright(
    values: np.ndarray[Any, np.dtype[np.uint8]], items: Items
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    for box, body in items.of(items.primary):
        if box == b"irot":
            values = np.rot90(values, body[0] & 3)
        elif box == b"imir":
            values = values[:, ::-1] if body[0] & 1 else values[::-1]
    return np.ascontiguousarray(values)


def _extent(items: Items) -> tuple[int, int]:
    sizes = [body for box, body in items.of(items.primary) if box == b"ispe"]
    width, height = struct.unpack_from(">II", sizes[0], 4)
    return height, width


def _grid(body: bytes) -> tuple[int, int, int, int]:
    """Rows, columns, height, width."""
    _, flags, rows, columns = struct.unpack_from(">4B", body)
    width, height = struct.unpack_from(">II" if flags & 1 else ">HH", body, 4)
    return rows + 1, columns + 1, height, width


def _exif(body: bytes) -> bytes:
    """As Pillow keeps it, without the orientation, which such files say in boxes.

    The item begins with the distance to the TIFF header.
    """
    (skip,) = struct.unpack_from(">I", body)
    exif = Image.Exif()
    exif.load(_EXIF_START + body[4 + skip :])
    exif.get_ifd(ExifTags.IFD.Exif)
    exif[ExifTags.Base.Orientation] = 1
    return exif.tobytes()
