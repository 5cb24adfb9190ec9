"""Colours of other spaces: ICC profiles to sRGB and back, by LittleCMS as Pillow has it.

Profiles that are damaged, or of another kind than the picture they are in, are left aside, as
viewers do: the picture then counts as sRGB.
"""

from functools import lru_cache
from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageCms

__all__ = ["is_rgb", "profile_to_srgb", "srgb_to_profile"]

_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SAME = 1
"""A profile that moves no colour by more than this, of 255, is sRGB."""
_STEPS = 6
_Transform = ImageCms.ImageCmsTransform


def profile_to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB; None where the profile says nothing new or is unusable.

    Args:
        image: of mode RGB, L, CMYK or LAB.
        profile: what its file has embedded.
    """
    change = _transform(profile, image.mode, True)
    if change is None or (image.mode != "CMYK" and _is_srgb(profile, image.mode)):
        return None
    return _applied(image, change)


def srgb_to_profile(colours: Float[np.ndarray, "N 3"], profile: bytes) -> Float[np.ndarray, "N 3"]:
    """Numbers of colours in the space of a profile, in steps of 1/255.

    Args:
        colours: sRGB in [0, 1].
        profile: of RGB colours, and usable.
    """
    change = _transform(profile, "RGB", False)
    if change is None or not len(colours):
        return colours
    row = Image.fromarray(np.round(colours * 255).astype(np.uint8)[None])
    return np.asarray(_applied(row, change))[0].astype(np.float32) / 255


def is_rgb(profile: bytes) -> bool:
    """Whether the numbers of a profile's colours are red, green and blue.

    Args:
        profile: as a file has it.
    """
    return profile[16:20] == b"RGB "


def _applied(image: Image.Image, change: _Transform) -> Image.Image:
    """A new picture; Pillow gives none where it changes the old one."""
    moved = ImageCms.applyTransform(image, change)
    return image if moved is None else moved


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str, to_srgb: bool) -> _Transform | None:
    """From the profile to sRGB or back; None where it is damaged or of another kind."""
    if profile[16:20].decode("latin-1") != _SPACES.get(mode):
        return None
    try:
        theirs, ours = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        source, target = (theirs, ours) if to_srgb else (ours, theirs)
        modes = (mode, "RGB") if to_srgb else ("RGB", mode)
        return ImageCms.buildTransform(source, target, *modes, _INTENT, _FLAGS)
    except Exception:  # LittleCMS refuses damaged profiles with errors of many kinds
        return None


@lru_cache(maxsize=16)
def _is_srgb(profile: bytes, mode: str) -> bool:
    """Whether the colours of a grid stay where they are."""
    change = _transform(profile, mode, True)
    steps = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    image = Image.fromarray(grid).convert(mode)
    if change is None or mode == "LAB":
        return False
    moved = np.asarray(_applied(image, change)).astype(int)
    return int(np.abs(moved - np.asarray(image.convert("RGB"))).max()) <= _SAME
