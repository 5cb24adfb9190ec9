"""How long is a lens, in pixels: from what people say, in the range that is believed.

A 35-mm equivalent is that of the diagonal, as cameras state it: the lens that shows as much from
corner to corner of a film of 36 x 24 mm.
"""

import math
import re

from morphface.core.errors import ParameterError

__all__ = [
    "FILM_DIAGONAL",
    "FocalLength",
    "believable",
    "check_focal",
    "film_to_pixels",
    "focal_pixels",
    "in_pixels",
    "reach",
]

FocalLength = float | str
"""Pixels as a number or text, or a 35-mm equivalent as text, such as "50mm"."""

FILM_DIAGONAL = math.hypot(36.0, 24.0)
"""Of 35-mm film, in millimetres."""
_SHORTEST, _LONGEST = 0.2, 50.0  # times the longer side: fisheyes, and telescopes
_ROUNDING = 1e-6  # of float32, in which cameras keep the length
_WORDS = re.compile(r"\s*([+-]?[0-9.]+(?:e[+-]?[0-9]+)?|nan|[+-]?inf)\s*(mm|px)?\s*", re.IGNORECASE)


def film_to_pixels(millimetres: float, size: tuple[int, int]) -> float:
    """The pixels of a 35-mm equivalent, by the diagonal.

    Args:
        millimetres: focal length on film of 36 x 24 mm.
        size: image height and width in pixels.
    """
    return millimetres * math.hypot(*size) / FILM_DIAGONAL


def believable(pixels: float, size: tuple[int, int]) -> bool:
    """Whether a lens may be so long: 0.2 to 50 times the longer side of the picture.

    Args:
        pixels: focal length.
        size: image height and width in pixels.
    """
    low, high = reach(size)
    return low * (1 - _ROUNDING) <= pixels <= high * (1 + _ROUNDING)


def reach(size: tuple[int, int]) -> tuple[float, float]:
    """The shortest and the longest focal length that is believed, in pixels.

    Args:
        size: image height and width in pixels.
    """
    return _SHORTEST * max(size), _LONGEST * max(size)


def in_pixels(focal: FocalLength) -> bool:
    """Whether a focal length is one in pixels, not a 35-mm equivalent.

    Args:
        focal: as of `focal_pixels`.

    Raises:
        ParameterError: it is no length.
    """
    return not _parsed(focal)[1]


def focal_pixels(focal: FocalLength, size: tuple[int, int]) -> float:
    """A focal length in pixels.

    Args:
        focal: pixels, or a 35-mm equivalent such as "50mm".
        size: image height and width in pixels.

    Raises:
        ParameterError: it is no length, or none that is believed for a picture of that size.
    """
    value, on_film = _parsed(focal)
    pixels = film_to_pixels(value, size) if on_film else value
    if not believable(pixels, size):
        low, high = reach(size)
        film = film_to_pixels(1.0, size)
        raise _refusal(
            focal, f", here {low:g} to {high:g} pixels or {low / film:.1f}mm to {high / film:.0f}mm"
        )
    return pixels


def check_focal(focal: FocalLength | None) -> None:
    """Refuse what is no focal length in a picture of any size; None is no wish.

    Args:
        focal: pixels, or a 35-mm equivalent such as "50mm".

    Raises:
        ParameterError: it is no positive, finite length.
    """
    if focal is not None:
        _parsed(focal)


def _parsed(focal: FocalLength) -> tuple[float, bool]:
    """A positive number, and whether it is of millimetres on film."""
    found = _WORDS.fullmatch(str(focal))
    try:
        value = float(found[1]) if found else math.nan
    except ValueError:  # as 1.2.3
        value = math.nan
    if found is None or not (math.isfinite(value) and value > 0):
        raise _refusal(focal, "")
    return value, (found[2] or "").lower() == "mm"


def _refusal(focal: FocalLength, here: str) -> ParameterError:
    shown = repr(focal) if isinstance(focal, str) else f"{focal:g}"
    return ParameterError(
        f"focal must be {_SHORTEST:g} to {_LONGEST:g} times the picture's longer side in pixels, "
        f"as 1200, or a 35-mm equivalent in that range, as 50mm{here}, got {shown}"
    )
