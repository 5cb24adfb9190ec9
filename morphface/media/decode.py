"""The samples of an opened picture as RGB on white in [0, 1], whatever their kind.

What Pillow would do silently wrong is handled here: 16 bits cut to 8, values that do not fill
their type, colour profiles, floats beyond white.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from morphface.core.errors import ImageError
from morphface.media.original import Original, Samples
from morphface.media.profiles import is_rgb, profile_to_srgb
from morphface.media.spaces import code_points, is_beyond_srgb, stated_profile

__all__ = ["Decoded", "decode", "decode_samples", "float_white", "white_of"]

_WHITES = (255, 1023, 4095, 65535)
"""Of 8, 10, 12 and 16 bits, which cameras and scanners store in 16."""
_FLOAT_WHITES = (1.0, 255.0, 65535.0)
_OVER = 1e-3
"""What rounding may add to white, as a share of it."""
_FLAT = ("RGB", "L", "CMYK", "LAB")
_BRIGHTEST = 16.0
"""Floats up to so much are light beyond a white of 1, not numbers of a larger white."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as it is shown, and its samples where these say more.

    Args:
        values: sRGB on white, in [0, 1].
        original: None where `values` are all that there is.
    """

    values: Float[np.ndarray, "H W 3"]
    original: Original | None = None


def decode(name: str, image: Image.Image, data: bytes | None) -> Decoded:
    """The pixels of an opened picture, as its file stores them.

    Args:
        name: of the picture, for messages.
        image: as Pillow opened it.
        data: of its file; None where there is none.

    Raises:
        ImageError: it is damaged, or its values have no usual meaning.
    """
    try:
        deep = None if data is None else _deep_samples(image, data)
        image.load()
        if image.mode == "F" or image.mode == "I":
            return Decoded(_grey(name, np.asarray(image)))
        if image.mode.startswith("I;16"):
            deep = np.repeat(np.asarray(image).astype(np.uint16)[..., None], 3, axis=-1)
            image = Image.fromarray((deep[..., 0] >> 8).astype(np.uint8))
        points = None if data is None else code_points(data)
        if image.format == "PNG" and is_beyond_srgb(points):
            return decode_samples(_tone_mapped(image, deep, points))
        return _colour(image, deep, image.info.get("icc_profile") or stated_profile(image))
    except ImageError:
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError, ...
        raise ImageError(f"{name} is truncated or damaged; get an intact copy") from error


def decode_samples(samples: Samples, white: int | None = None) -> Decoded:
    """RGB or RGBA samples, sRGB, as they are shown; kept beside that where they say more.

    Args:
        samples: uint8 or uint16.
        white: its value in them; None takes `white_of`.
    """
    original = Original(samples, white_of(samples) if white is None else white)
    values = (samples[..., :3].astype(np.float32) / original.white).clip(0, 1)
    plain = samples.dtype == np.uint8 and not original.has_alpha
    return Decoded(_on_white(values, original), None if plain else original)


def white_of(samples: Samples) -> int:
    """The value of white: that of the fewest usual bits that hold what there is.

    Args:
        samples: uint8 or uint16.
    """
    if samples.dtype == np.uint8:
        return 255
    return next(white for white in _WHITES if samples.max(initial=0) <= white)


def float_white(name: str, values: np.ndarray[Any, np.dtype[Any]]) -> float:
    """The value of white of a picture in floats.

    Args:
        name: of the picture, for messages.
        values: finite.

    Raises:
        ImageError: there is no usual one, as where light goes on beyond a white of 1.
    """
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    usual = [white for white in _FLOAT_WHITES if high <= white * (1 + _OVER)]
    if usual and low >= -_OVER * usual[0] and not (usual[0] > 1 and high <= _BRIGHTEST):
        return usual[0]
    raise ImageError(
        f"{name} holds floats from {low:.3g} to {high:.3g}, which is no usual range of a picture; "
        "map its tones to 0 to 1 and save it in 8 or 16 bits"
    )


def _grey(name: str, grey: np.ndarray[Any, np.dtype[Any]]) -> Float[np.ndarray, "H W 3"]:
    """Floats, or integers of 32 bits."""
    values = grey.astype(np.float32)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ImageError(f"{name} holds {bad} values that are not finite; repair it")
    if grey.dtype.kind == "f":
        white = float_white(name, values)
    else:
        white = next((w for w in _WHITES if values.max() <= w), float(2**31 - 1))
    return np.repeat((values / white).clip(0, 1)[..., None], 3, axis=-1)


def _colour(image: Image.Image, deep: Samples | None, profile: bytes | None) -> Decoded:
    """Samples of 8 bits, or of 16 if there are any, of a picture that may have a profile."""
    alpha = None
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA"))[..., 3:]
    flat = image if image.mode in _FLAT else image.convert("L" if image.mode == "LA" else "RGB")
    shown = None if profile is None else profile_to_srgb(flat, profile)
    stored = np.asarray((flat if shown is None else shown).convert("RGB"))
    if shown is None or profile is None:
        return decode_samples(_with(stored, alpha) if deep is None else deep)
    values = stored.astype(np.float32) / 255
    if is_rgb(profile):
        stored = deep if deep is not None else _with(np.asarray(flat.convert("RGB")), alpha)
    else:
        stored, profile = _with(stored, alpha), None
    original = Original(stored, white_of(stored), profile)
    values = _on_white(values, original)
    return Decoded(values, original if profile is not None or original.has_alpha else None)


def _tone_mapped(image: Image.Image, deep: Samples | None, points: Any) -> Samples:
    """8 bits of sRGB from what code points say of the signal, in 16 bits."""
    from morphface.media.video.light import to_srgb  # which is beside videos, that need pictures

    alpha = None
    if image.has_transparency_data:
        alpha = np.asarray(image.convert("RGBA"))[..., 3:]
    eight = np.asarray(image.convert("RGB")).astype(np.uint16) * 257
    primaries, curve = points
    return _with(to_srgb(eight if deep is None else deep[..., :3], curve, primaries), alpha)


def _with(colours: Samples, alpha: Samples | None) -> Samples:
    return colours if alpha is None else np.concatenate([colours, alpha], axis=-1)


def _on_white(
    colours: Float[np.ndarray, "H W 3"], original: Original
) -> Float[np.ndarray, "H W 3"]:
    if not original.has_alpha:
        return colours
    alpha = original.samples[..., 3:].astype(np.float32) / original.white
    return (colours * alpha + (1 - alpha)).clip(0, 1).astype(np.float32)


def _deep_samples(image: Image.Image, data: bytes) -> Samples | None:
    """RGB or RGBA in 16 bits, which Pillow would cut to 8; None for other pictures."""
    if image.format == "PNG":
        deep = data[24:25] == b"\x10" and data[25:26] in b"\x02\x04\x06"
    else:
        tags = getattr(image, "tag_v2", {})
        deep = image.mode.startswith("RGB") and set(tags.get(258, (8,))) == {16}
        deep = deep and image.tell() == 0  # FFmpeg reads the first page
    if not deep:
        return None
    import av

    with av.open(BytesIO(data), "r") as container:
        frame = next(container.decode(video=0))
    clear = any(part.is_alpha for part in frame.format.components)
    return frame.to_ndarray(format="rgba64le" if clear else "rgb48le")
