"""HEIC and AVIF photos, as phones take them.

`pillow-heif` decodes them where it is installed; else PyAV, whose FFmpeg knows the coding but not
how the parts of such a file make a picture: tiles side by side, turns, the profile and EXIF are
read from the file's boxes here (ISO/IEC 23008-12 and 14496-12).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any, cast

import av
import numpy as np
from av.video.frame import VideoFrame
from PIL import ExifTags, Image, features

from morphface.core.errors import ImageError

__all__ = ["is_heif", "open_heif"]

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"miaf", b"mif2")
_AVIF = (b"avif", b"avis")
_READERS = ("pillow_heif", "pi_heif")
_PICTURES = (b"hvc1", b"av01")
_MOST_BOXES = 65536
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
    return not features.check("avif") if avif else bool(brands.intersection(_BRANDS))


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
        reader = next((module for module in _READERS if find_spec(module)), None)
        if reader is not None:
            return import_module(reader).open_heif(BytesIO(data)).to_pillow()
        return _assembled(name, data, most_pixels)
    except ImageError:
        raise
    except Exception as error:  # damaged files raise errors of many kinds, in each of the readers
        raise ImageError(f"{name} is truncated or damaged; get an intact copy") from error


@dataclass
class _Items:
    """What the boxes of a file say of its pictures."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    places: dict[int, tuple[int, list[tuple[int, int]]]] = field(default_factory=dict)
    parts: dict[int, list[int]] = field(default_factory=dict)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    owned: dict[int, list[int]] = field(default_factory=dict)
    inline: bytes = b""

    def content(self, item: int, data: bytes) -> bytes:
        """The bytes of an item."""
        method, extents = self.places[item]
        source = self.inline if method == 1 else data
        return b"".join(source[start : start + (size or len(source))] for start, size in extents)

    def of(self, item: int) -> list[tuple[bytes, bytes]]:
        """The properties of an item, in the order in which they are applied."""
        return [self.properties[k - 1] for k in self.owned.get(item, []) if k]


def _assembled(name: str, data: bytes, most_pixels: int) -> Image.Image:
    items = _read_items(data)
    kind = items.kinds.get(items.primary)
    if kind == b"grid":
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
    parts = _decoded(data, set(tiles))
    strips = [
        np.hstack([parts[t] for t in tiles[r * columns : (r + 1) * columns]]) for r in range(rows)
    ]
    image = Image.fromarray(_upright(np.vstack(strips)[:height, :width], items))
    for box, body in items.of(items.primary):
        if box == b"colr" and body[:4] in (b"prof", b"rICC"):
            image.info["icc_profile"] = body[4:]
    exif = next((item for item, kind in items.kinds.items() if kind == b"Exif"), None)
    if exif is not None:
        image.info["exif"] = _exif(items.content(exif, data))
    return image


def _decoded(data: bytes, wanted: set[int]) -> dict[int, np.ndarray[Any, np.dtype[np.uint8]]]:
    """The pictures of items, by their numbers, which FFmpeg gives to its streams."""
    from morphface.media.video.picture import Picture  # which needs pictures itself

    found: dict[int, np.ndarray[Any, np.dtype[np.uint8]]] = {}
    with av.open(BytesIO(data), "r") as container:
        streams = [stream for stream in container.streams.video if stream.id in wanted]
        streams = streams or [container.streams.video[0]]
        for packet in container.demux(streams):
            for frame in cast(list[VideoFrame], packet.decode()):
                number = packet.stream.id if packet.stream.id in wanted else min(wanted)
                picture = Picture(frame, Fraction(1), as_stored=True)
                found.setdefault(number, picture.tensor(frame).numpy())
    return found


def _upright(
    values: np.ndarray[Any, np.dtype[np.uint8]], items: _Items
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    for box, body in items.of(items.primary):
        if box == b"irot":
            values = np.rot90(values, body[0] & 3)
        elif box == b"imir":
            values = values[:, ::-1] if body[0] & 1 else values[::-1]
    return np.ascontiguousarray(values)


def _extent(items: _Items) -> tuple[int, int]:
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


def _read_items(data: bytes) -> _Items:
    items = _Items()
    meta = next(body for box, body in _boxes(data) if box == b"meta")
    for box, body in _boxes(meta[4:]):
        if box == b"pitm":
            (items.primary,) = struct.unpack_from(">I" if body[0] else ">H", body, 4)
        elif box == b"iinf":
            items.kinds = _kinds(body)
        elif box == b"iloc":
            items.places = _places(body)
        elif box == b"iref":
            items.parts = _parts(body)
        elif box == b"idat":
            items.inline = body
        elif box == b"iprp":
            for inner, content in _boxes(body):
                if inner == b"ipco":
                    items.properties = list(_boxes(content))
                elif inner == b"ipma":
                    items.owned |= _owned(content)
    return items


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    for _ in range(_MOST_BOXES):
        if place + 8 > len(data):
            return
        size, kind, head = *struct.unpack_from(">I4s", data, place), 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, place + 8), 16
        end = len(data) if size == 0 else place + max(size, head)
        yield kind, data[place + head : end]
        place = end


def _kinds(body: bytes) -> dict[int, bytes]:
    kinds = {}
    for box, entry in _boxes(body[6 if body[0] == 0 else 8 :]):
        if box == b"infe" and entry[0] >= 2:
            form = ">I" if entry[0] == 3 else ">H"
            (number,) = struct.unpack_from(form, entry, 4)
            place = 4 + struct.calcsize(form) + 2
            kinds[number] = entry[place : place + 4]
    return kinds


class _Numbers:
    """Big-endian numbers one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def next(self, size: int) -> int:
        """One of `size` bytes."""
        if self._place + size > len(self._data):
            raise EOFError("the box ends within a number")
        part = self._data[self._place : self._place + size]
        self._place += size
        return int.from_bytes(part, "big")


def _places(body: bytes) -> dict[int, tuple[int, list[tuple[int, int]]]]:
    """How each item is stored (0: in the file, 1: in the box idat), and where: start and size."""
    version, numbers = body[0], _Numbers(body[4:])
    widths = numbers.next(2)
    offset, length, base, index = (widths >> shift & 15 for shift in (12, 8, 4, 0))
    places = {}
    for _ in range(numbers.next(4 if version == 2 else 2)):
        item = numbers.next(4 if version == 2 else 2)
        method = numbers.next(2) & 15 if version else 0
        numbers.next(2)
        start = numbers.next(base)
        extents = []
        for _ in range(numbers.next(2)):
            numbers.next(index if version else 0)
            extents.append((start + numbers.next(offset), numbers.next(length)))
        places[item] = (method, extents)
    return places


def _parts(body: bytes) -> dict[int, list[int]]:
    """The items that derived pictures are made of."""
    wide = 4 if body[0] else 2
    parts = {}
    for box, entry in _boxes(body[4:]):
        if box == b"dimg":
            numbers = _Numbers(entry)
            whole = numbers.next(wide)
            parts[whole] = [numbers.next(wide) for _ in range(numbers.next(2))]
    return parts


def _owned(body: bytes) -> dict[int, list[int]]:
    """The numbers of the properties of each item, from 1."""
    version, wide = body[0], 2 if body[3] & 1 else 1
    numbers, owned = _Numbers(body[4:]), {}
    for _ in range(numbers.next(4)):
        item = numbers.next(4 if version else 2)
        bits = 15 if wide == 2 else 7
        owned[item] = [numbers.next(wide) & ((1 << bits) - 1) for _ in range(numbers.next(1))]
    return owned
