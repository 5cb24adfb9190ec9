"""Dark glasses: both eyes, lids and what is around them far darker than skin.

Sockets, lashes and paint are dark, too, but end before a lens does. Lenses mirror, so the dark of
one is taken as a whole: what is within its outline is hidden, however bright. Rims and temples that
touch it belong to it.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, binary_propagation

from morphface.fit.covered.raster import FaceRaster
from morphface.fit.covered.skin import channels_of

__all__ = ["sunglasses_before"]

_LENS, _BELOW = 14.0, -3.0
"""Millimetres around the middle of an eye that every lens hides, and above it below which neither
lashes nor mirrored sky are."""
_DEEP, _SHARE = 0.75, 0.7
"""How much darker than skin, as a logarithm, a lens is, and in which share of that at least. Of
some forty portraits one has dark glasses: all of it; of the others, one eye has at most 0.21."""
_DARK, _WIDE, _ZONE = 0.45, 36.0, (-30.0, 22.0)
"""The same of what belongs to it; and millimetres from the middle of an eye within which it ends,
and above that between which it lies."""
_RIM = 4.5
"""Millimetres around what is dark that are rim, or blurred."""


def sunglasses_before(face: FaceRaster) -> Float[np.ndarray, "h w"]:
    """Where dark glasses are, 0 or 1; nowhere unless both eyes are behind them.

    Args:
        face: as the photo shows it.
    """
    nothing = np.zeros(face.seen.shape)
    away = face.from_eyes()
    if face.axes is None or away is None:
        return nothing
    unit = float(np.linalg.norm(face.axes[1]))
    far = np.stack([np.hypot(aside, above) for aside, above in away])
    high = np.stack([above for _, above in away])
    dark = _darker(face, far.min(axis=0) > _WIDE)
    found = np.zeros(nothing.shape, dtype=bool)
    for near, above in zip(far, high, strict=True):
        behind = near < _LENS
        below = behind & (above < _BELOW)
        if not below.any() or (dark[below] > _DEEP).mean() < _SHARE:
            return nothing
        zone = (near < _WIDE) & (above > _ZONE[0]) & (above < _ZONE[1]) & (dark > _DARK)
        found |= _outlined(binary_propagation(behind & zone, mask=zone) | behind)
    around = max(round(_RIM * unit), 1)
    return 1.0 * binary_dilation(found, iterations=around)


def _darker(face: FaceRaster, other: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How much darker than skin each pixel is, a logarithm; skin is what is far from the eyes."""
    bright = channels_of(face.colours)[..., 0]
    skin = face.skin & other
    level = np.quantile(bright[skin], 0.6) if skin.any() else -np.inf
    return np.asarray(level - bright)


def _outlined(lens: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """What is within the convex outline of a lens."""
    spots = np.argwhere(lens)[:, ::-1].astype(np.int32)
    filled = np.zeros(lens.shape, np.uint8)
    if len(spots) > 2:
        cv2.fillConvexPoly(filled, cv2.convexHull(spots), 1)
    return filled > 0
