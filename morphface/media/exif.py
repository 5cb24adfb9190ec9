"""What the header of a picture says about the camera that took it.

A number that is absent, zero ("unknown"), negative, infinite or nonsense counts as not stated.
"""

import math
from typing import Any

from PIL import ExifTags, Image

from morphface.geometry.focal import believable, film_to_pixels
from morphface.media.sensors import film_focal

__all__ = ["read_exif", "stated_focal"]

_TAG = ExifTags.Base
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_CROPPED = 0.02  # of the aspect ratio: more is no rounding
_LARGEST_ZOOM = 100.0


def read_exif(image: Image.Image) -> dict[int, Any]:
    """The EXIF entries of an opened picture by tag; none where they are damaged.

    Args:
        image: as Pillow opened it.
    """
    try:
        exif = image.getexif()
        return {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    except Exception:  # damaged EXIF of a good picture is as good as none
        return {}


def stated_focal(exif: dict[int, Any], size: tuple[int, int]) -> float | None:
    """Focal length in pixels, where EXIF tells it and the picture was not cropped.

    The 35-mm equivalent counts first, then the density of the sensor's pixels, then the size of
    the sensor of a known camera; the last two times the digital zoom, which the first includes.

    Args:
        exif: entries by tag.
        size: height and width of the picture as it is stored, in pixels.
    """
    long, short = max(size), min(size)
    shot = [_number(exif, tag) for tag in (_TAG.ExifImageWidth, _TAG.ExifImageHeight)]
    shot_long, shot_short = (max(shot), min(shot)) if all(shot) else (long, short)
    if abs(shot_long * short / (shot_short * long) - 1) > _CROPPED:
        return None  # what remains of the sensor is unknown
    zoom = max(_number(exif, _TAG.DigitalZoomRatio), 1.0)
    zoom = zoom if zoom <= _LARGEST_ZOOM else 1.0
    lengths = (
        film_to_pixels(_number(exif, _TAG.FocalLengthIn35mmFilm), size),
        _by_density(exif) * long / shot_long * zoom,
        film_to_pixels(_by_camera(exif), size) * zoom,
    )
    return next((focal for focal in lengths if focal and believable(focal, size)), None)


def _by_density(exif: dict[int, Any]) -> float:
    """Pixels of the picture as it was shot; 0 where that is not stated."""
    unit = _UNIT_MM.get(exif.get(_TAG.FocalPlaneResolutionUnit, 2), 25.4)
    return _number(exif, _TAG.FocalLength) * _number(exif, _TAG.FocalPlaneXResolution) / unit


def _by_camera(exif: dict[int, Any]) -> float:
    """Millimetres on 35-mm film; 0 for an unknown camera."""
    make, model = (str(exif.get(tag, "")) for tag in (_TAG.Make, _TAG.Model))
    return film_focal(make, model, _number(exif, _TAG.FocalLength)) or 0.0


def _number(exif: dict[int, Any], tag: int) -> float:
    """A positive number, or 0 where the tag is absent, unknown (0) or nonsense."""
    try:
        value = float(exif.get(tag, 0))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return value if math.isfinite(value) and value > 0 else 0.0
