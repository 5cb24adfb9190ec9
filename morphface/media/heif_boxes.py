"""The boxes of a HEIF file: which pictures are in it, and how they make one.

ISO/IEC 14496-12 (boxes, items) and 23008-12 (grids, properties of pictures).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Items", "read_items"]

_MOST_BOXES = 65536


@dataclass
class Items:
    """What the boxes of a file say of its pictures.

    Args:
        primary: the number of the item that is the picture.
        kinds: of the items, four letters each.
        places: how each item is stored (0: in the file, 1: in the box idat), and where: start and
            size of its pieces.
        parts: the items that a derived picture is made of.
        properties: of all pictures, each a kind and its content.
        owned: which of them an item has, from 1, in the order in which they are applied.
        inline: the content of the box idat.
    """

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


def read_items(data: bytes) -> Items:
    """What a file says of its pictures; damaged boxes raise what Python raises of itself.

    Args:
        data: of the file.
    """
    items = Items()
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
