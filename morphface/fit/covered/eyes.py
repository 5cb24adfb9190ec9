"""Which eyes are seen: an iris darker than the white beside it shows in any shade.

Skin in the deep shade of a cap's peak looks like hair to whoever knows its colours alone. What
hides an eye would hide its iris, too.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float

from morphface.landmarks import SCHEMES, Landmarks
from morphface.media.images import Photo

__all__ = ["eyes_seen"]

_DARKER = 0.6
"""How much darker an iris is than the white beside it, a logarithm, so that the eye counts as seen.
Of the eyes of 120 portraits 65 % have more; two in the shade of a cap have 1.9."""
_IRIS, _WHITE = 0.75, 1.15
"""In radii of the iris: within the first it is dark, beyond the second there is white."""
_ALONG = 64
"""Pixels along an eye at which it is looked at, at least."""
_NOISE = 0.02
"""Added to what logarithms are taken of."""
_FEWEST = 12
"""Pixels of each of the two, at least."""


def eyes_seen(landmarks: Landmarks, photo: Photo) -> tuple[bool, bool]:
    """Whether the subject's left and right eye are seen; False where landmarks do not tell.

    Args:
        landmarks: of the face; only MediaPipe's have irises.
        photo: that they are in.
    """
    if landmarks.scheme != "478":
        return False, False
    groups = SCHEMES["478"].groups
    points, present = landmarks.points.cpu().numpy(), landmarks.confidence.cpu().numpy() > 0

    def seen(side: str) -> bool:
        lids, iris = (list(groups[f"{side}_{part}"]) for part in ("eye", "iris"))
        return bool(present[lids + iris].all()) and _is_seen(points[lids], points[iris], photo)

    return seen("left"), seen("right")


def _is_seen(lids: Float[np.ndarray, "n 2"], iris: Float[np.ndarray, "5 2"], photo: Photo) -> bool:
    height, width = photo.size
    low, high = np.floor(lids.min(0) - 1).astype(int), np.ceil(lids.max(0) + 2).astype(int)
    if (low < 0).any() or (high > [width, height]).any():
        return False
    fine = max(-(-_ALONG // int(high[0] - low[0])), 1)
    size = (int(high[0] - low[0]) * fine, int(high[1] - low[1]) * fine)
    part = photo.pixels[low[1] : high[1], low[0] : high[0]].float().mean(-1).cpu().numpy()
    bright = cv2.resize(np.ascontiguousarray(part), size, interpolation=cv2.INTER_LINEAR)
    within = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(within, [np.round((lids - low) * fine).astype(np.int32)], 1)
    y, x = np.mgrid[: size[1], : size[0]]
    away = np.stack([x, y], -1) + 0.5 - (iris[0] - low) * fine
    radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean()) * fine
    return _contrast(bright, within > 0, away / max(radius, 1e-6)) > _DARKER


def _contrast(
    bright: Float[np.ndarray, "h w"],
    within: Bool[np.ndarray, "h w"],
    away: Float[np.ndarray, "h w 2"],
) -> float:
    """How much brighter the white is, a logarithm; 0 where one of the two is not there."""
    far = np.linalg.norm(away, axis=-1)
    iris = bright[within & (far < _IRIS)]
    white = bright[within & (far > _WHITE) & (np.abs(away[..., 1]) < 1)]
    if min(len(iris), len(white)) < _FEWEST:
        return 0.0
    return float(np.log(np.quantile(white, 0.7) + _NOISE) - np.log(np.median(iris) + _NOISE))
