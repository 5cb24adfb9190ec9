"""Colours that a file states without a profile: Adobe RGB by EXIF, gamma and primaries of a PNG.

Both become ICC profiles, so that one way leads to sRGB and back. Code points of HDR (the chunk cICP
of a PNG, the box nclx of an AVIF) are numbers of ISO/IEC 23091-2; no profile can hold their light.
"""

import struct
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import ExifTags, Image

from morphface.media.exif import read_exif

__all__ = ["code_points", "is_beyond_srgb", "stated_profile"]

_SRGB = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)  # white, red, green, blue
_ADOBE = (0.3127, 0.3290, 0.640, 0.330, 0.210, 0.710, 0.150, 0.060)
_ADOBE_GAMMA = 2.19921875
_GAMMA = 2.2
_SAME_GAMMA = 0.05
_SAME_PLACE = 0.005
_LETTERS = (b"r", b"g", b"b")
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_HDR_CURVES, _WIDE_PRIMARIES = (16, 18), (9, 11, 12)
_LOOKED_AT = 65536  # bytes; what says so stands before the picture
_INTEROP_INDEX, _ADOBE_INDEX = 1, "R03"


def stated_profile(image: Image.Image) -> bytes | None:
    """A profile of what the file says of its colours; None where that is sRGB or nothing.

    Args:
        image: as Pillow opened it, without a profile of its own.
    """
    if image.format == "PNG" and "srgb" not in image.info:
        gamma = float(image.info.get("gamma", 0))
        gamma = 1 / gamma if gamma > 0 else _GAMMA
        places = tuple(image.info.get("chromaticity", _SRGB))
        known = len(places) == 8 and all(y > 0 for y in places[1::2])
        if known and (
            abs(gamma / _GAMMA - 1) > _SAME_GAMMA
            or max(abs(a - b) for a, b in zip(places, _SRGB, strict=True)) > _SAME_PLACE
        ):
            return _profile(places, gamma)
    return _profile(_ADOBE, _ADOBE_GAMMA) if _is_adobe(image) else None


def code_points(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer curve of a PNG or AVIF file; None where it does not state them.

    Args:
        data: of the file.
    """
    head = data[:_LOOKED_AT]
    if head.startswith(b"\x89PNG"):
        place = head.find(b"\0\0\0\x04cICP")
        found = head[place + 8 : place + 10] if place > 0 else b""
        return (found[0], found[1]) if len(found) == 2 else None
    place = head.find(b"colrnclx")
    if place < 0 or place + 12 > len(head):
        return None
    primaries, curve = struct.unpack_from(">HH", head, place + 8)
    return primaries, curve


def is_beyond_srgb(points: tuple[int, int] | None) -> bool:
    """Whether the light or the colours of code points are more than sRGB has.

    Args:
        points: primaries and transfer curve.
    """
    return points is not None and (points[0] in _WIDE_PRIMARIES or points[1] in _HDR_CURVES)


def _is_adobe(image: Image.Image) -> bool:
    """Whether EXIF calls the picture an option file of DCF, which is in Adobe RGB."""
    try:
        interop = image.getexif().get_ifd(ExifTags.IFD.Interop)
    except Exception:  # damaged EXIF of a good picture is as good as none
        return False
    stated: Any = interop.get(_INTEROP_INDEX, "")
    return str(stated).strip("\0 ") == _ADOBE_INDEX and (
        read_exif(image).get(ExifTags.Base.ColorSpace) != 1
    )


def _profile(places: tuple[float, ...], gamma: float) -> bytes:
    """An ICC profile of version 2 (ICC.1:2001-04): three primaries and one gamma."""
    columns = _to_d50(np.array(places).reshape(4, 2))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, min(round(gamma * 256), 65535))
    name = b"stated by the file\0"
    tags = [
        (b"desc", b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)),
        (b"cprt", b"text\0\0\0\0none\0"),
        (b"wtpt", _xyz(_D50)),
    ]
    tags += [
        (letter + b"XYZ", _xyz(column)) for letter, column in zip(_LETTERS, columns.T, strict=True)
    ]
    tags += [(letter + b"TRC", curve) for letter in _LETTERS]
    start, table, body = 132 + 12 * len(tags), b"", b""
    for tag, content in tags:
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4xI", start + len(body), 0x02100000) + b"mntrRGB XYZ " + bytes(12)
    head += b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def _to_d50(places: Float[np.ndarray, "4 2"]) -> Float[np.ndarray, "3 3"]:
    """Linear RGB to XYZ, adapted to D50 (ICC.1:2010, annex E), from white, red, green and blue."""
    x, y = places.T
    white, *columns = np.stack([x / y, np.ones(4), (1 - x - y) / y], axis=1)
    primaries = np.stack(columns, axis=1)
    ratio = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted = np.linalg.inv(_BRADFORD) @ (ratio[:, None] * _BRADFORD)
    return adapted @ (primaries * np.linalg.solve(primaries, white))


def _xyz(values: Any) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in values)
