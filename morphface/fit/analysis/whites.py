"""What of a picture tells its light, besides skin: whites of the eyes, teeth, and surroundings.

Skin and light are known only as a product. Sclera and teeth differ little between people, so that
their brightness in a picture, over what they are, is their light: less than the skin's, as lids
and lips shade them. What surrounds a face is of all kinds, and tells less.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from morphface.fit.analysis.colour import LUMINANCE
from morphface.landmarks import Landmarks
from morphface.landmarks.tables import INNER_LIPS, LEFT_EYE, LEFT_IRIS, RIGHT_EYE, RIGHT_IRIS

__all__ = ["Hint", "hints_of"]

_SCLERA, _TEETH = 0.84, 0.79
"""Luminance of their reflectance in the open head's mean."""
_SHADED = {"sclera": 0.68, "teeth": 0.85}
"""Share of the skin's light that reaches them; median of ten faces in photos."""
_SPREAD = {"sclera": 0.3, "teeth": 0.35, "surroundings": 0.5}
"""Standard deviation of the logarithm of that share, over the same faces."""
_AROUND, _NIGHT, _LEAST_AROUND = 0.42, 0.15, 0.1
"""Mean luminance of surroundings in light of 1; the least that counts, as what is darker is night
behind a flash; and the least share of the picture that they must be."""
_ENOUGH = 25.0
"""Pixels of white at which its error is as large again as that of the share."""
_WHITE = 0.45
"""Largest saturation of what may be white; lips and red rims have more."""
_DARKEST = 0.6
"""Least brightness of whites, over that of the skin: what is darker is the inside of a mouth, or
slits that lids shade; the palest skin has 0.85 of the sclera's."""
_BRIGHT = (0.7, 0.95)
"""The part of the pixels, by brightness, that is neither lashes and gums nor a highlight."""
_IRIS = 1.1
"""Radius around the iris that is not sclera, in radii of the iris."""


@dataclass(frozen=True)
class Hint:
    """An independent word on the brightness of the light.

    Args:
        level: logarithm of the irradiance of skin.
        spread: its standard deviation.
    """

    level: float
    spread: float


def hints_of(
    photo: Float[np.ndarray, "H W 3"], landmarks: Landmarks, wanted: Sequence[str]
) -> tuple[Hint, ...]:
    """What a picture says; nothing where landmarks do not show where to look.

    Args:
        photo: RGB in [0, 1].
        landmarks: of the face; only the 478-point mesh knows irises and lips well enough.
        wanted: names from `HINTS`.
    """
    if landmarks.scheme != "478":
        return ()
    points = landmarks.points.double().cpu().numpy()
    found = [_HINTS[name](photo, points) for name in wanted]
    return tuple(hint for hint in found if hint is not None)


def _skin(photo: Float[np.ndarray, "H W 3"], points: Float[np.ndarray, "478 2"]) -> float:
    """Luminance of the face, at its landmarks in the picture."""
    inside = ((points >= 0) & (points < photo.shape[1::-1])).all(axis=1)
    x, y = points[inside].astype(int).T
    return float(np.median(photo[y, x] @ LUMINANCE)) if len(x) else 0.0


def _sclera(photo: Float[np.ndarray, "H W 3"], points: Float[np.ndarray, "478 2"]) -> Hint | None:
    eyes = [
        _pixels(photo, points[list(lids)], points[list(iris)])
        for lids, iris in ((LEFT_EYE, LEFT_IRIS), (RIGHT_EYE, RIGHT_IRIS))
    ]
    return _hint("sclera", np.concatenate(eyes), _SCLERA, _skin(photo, points))


def _teeth(photo: Float[np.ndarray, "H W 3"], points: Float[np.ndarray, "478 2"]) -> Hint | None:
    inner = _pixels(photo, points[list(INNER_LIPS)])
    return _hint("teeth", inner, _TEETH, _skin(photo, points))


def _surroundings(
    photo: Float[np.ndarray, "H W 3"], points: Float[np.ndarray, "478 2"]
) -> Hint | None:
    """The mean of the picture outside the face's box, twice as large."""
    low, high = points.min(axis=0), points.max(axis=0)
    half = (high - low) / 2
    size = np.array(photo.shape[1::-1])
    left, top = np.clip(low - half, 0, size).astype(int)
    right, bottom = np.clip(high + half, 0, size).astype(int)
    outside = np.ones(photo.shape[:2], bool)
    outside[top:bottom, left:right] = False
    if outside.mean() < _LEAST_AROUND:
        return None
    level = float((photo[outside] @ LUMINANCE).mean())
    return Hint(math.log(max(level, _NIGHT) / _AROUND), _SPREAD["surroundings"])


_HINTS = {"sclera": _sclera, "teeth": _teeth, "surroundings": _surroundings}


def _hint(name: str, colours: Float[np.ndarray, "n 3"], albedo: float, skin: float) -> Hint | None:
    bright = np.sort(colours @ LUMINANCE)
    bright = bright[int(_BRIGHT[0] * len(bright)) : int(_BRIGHT[1] * len(bright))]
    if len(bright) < 3 or bright.mean() < _DARKEST * skin:
        return None
    level = max(float(bright.mean()), 1e-3) / albedo / _SHADED[name]
    return Hint(math.log(level), _SPREAD[name] * math.sqrt(1 + _ENOUGH / len(colours)))


def _pixels(
    photo: Float[np.ndarray, "H W 3"],
    ring: Float[np.ndarray, "n 2"],
    iris: Float[np.ndarray, "5 2"] | None = None,
) -> Float[np.ndarray, "m 3"]:
    """Colours of the pixels within a ring, and outside an iris (its centre comes first)."""
    size = np.array(photo.shape[1::-1])
    low = np.clip(np.floor(ring.min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil(ring.max(axis=0)), 0, size).astype(int)
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    inside = _within(x, y, ring)
    if iris is not None:
        radius = np.linalg.norm(iris[1:] - iris[0], axis=1).max()
        inside &= np.hypot(x - iris[0, 0], y - iris[0, 1]) > _IRIS * radius
    found = photo[low[1] : high[1], low[0] : high[0]][inside]
    most = found.max(axis=1, initial=0.0)
    return found[most - found.min(axis=1, initial=1.0) <= _WHITE * most]


def _within(
    x: Float[np.ndarray, "h w"], y: Float[np.ndarray, "h w"], ring: Float[np.ndarray, "n 2"]
) -> Bool[np.ndarray, "h w"]:
    """Whether points lie within a polygon: a ray to the right crosses it an odd number of times."""
    inside = np.zeros(x.shape, bool)
    for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        crosses = (a[1] > y) != (b[1] > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        inside ^= crosses & (x < at)
    return inside
