"""Where a hand is that hides a mouth: as far as neighbours look alike, and eyes are not reached.

A hand has the colours of a face, and its fingers have edges among themselves, so neither colours
nor the strongest edge tell where it ends. A walker who starts anywhere between mouth and eyes, and
crosses edges unwillingly (Grady, Random walks for image segmentation, 2006), tells it softly.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import spsolve

from morphface.fit.covered.raster import SIDE, FaceRaster

__all__ = ["hand_before"]

_FLAT, _PALE = 0.14, 0.04
"""Deviation of brightness over lips, and what their redness exceeds that around them by, a
logarithm, below both of which they are not seen. These and the constants below were chosen on the
tuning half of `benchmarks/bench_cover.py`."""
_SHARP = 0.28
"""Deviation of brightness over lids and brows from which a picture would show lips, ..."""
_LIT, _AHEAD = 0.1, 0.6
"""... as bright as this, and turned to the camera by this cosine."""
_HAND = 18.0
"""Millimetres around a mouth that a hand before it hides at least."""
_UNWILLING = 5.0
"""What squares of differences across a step are multiplied by, of logarithms, chroma doubled."""
_SMOOTH = 0.7
"""Standard deviation of the blur before differences are taken, in pixels of the raster."""
_LEAST = 1e-4
"""Of a step's weight."""
_STEEP = 12.0
"""Of the logistic that makes a likely hand a sure one; a chance of a half stays one."""
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


def hand_before(face: FaceRaster, channels: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    """How likely each pixel shows a hand; 0 everywhere where lips are seen, or would not be.

    Args:
        face: as the photo shows it.
        channels: of its colours, from `channels_of`.
    """
    hidden = np.zeros(face.seen.shape)
    if not _is_mouth_hidden(face, channels):
        return hidden
    there = face.seen | face.lips
    hand = there & (face.distance < _HAND)
    eyes = face.distance[face.eyes]
    bare = there & ~hand & (binary_dilation(face.eyes) | (face.distance > eyes.max()))
    chance = _walked(channels, there, hand, bare)
    return np.where(there, 1 / (1 + np.exp(-_STEEP * (chance - 0.5))), 0.0)


def _is_mouth_hidden(face: FaceRaster, channels: Float[np.ndarray, "h w 3"]) -> bool:
    """Whether lips are not seen, in a picture that would show them."""
    ring = binary_dilation(face.lips, iterations=6) & ~binary_dilation(face.lips, iterations=2)
    ring &= face.skin
    lips, eyes = channels[face.lips], channels[face.eyes]
    if min(len(lips), len(eyes), int(ring.sum())) < SIDE // 4:
        return False
    redder = float(lips[:, 1].mean() - channels[ring][:, 1].mean())
    seen = float(lips[:, 0].std()) > _FLAT or redder > _PALE
    clear = face.colours[face.lips].mean() > _LIT and face.normals[face.lips][:, 2].mean() > _AHEAD
    return not seen and bool(clear) and float(eyes[:, 0].std()) >= _SHARP


def _walked(
    channels: Float[np.ndarray, "h w 3"],
    there: Bool[np.ndarray, "h w"],
    hand: Bool[np.ndarray, "h w"],
    bare: Bool[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w"]:
    """The chance of reaching the hand before the bare face, by steps to neighbours."""
    smooth = gaussian_filter(channels * [1.0, 2.0, 2.0], (_SMOOTH, _SMOOTH, 0))
    chance = 1.0 * hand
    free = there & ~hand & ~bare
    if not free.any():
        return chance
    number = np.full(there.shape, -1)
    number[there] = np.arange(there.sum())
    weights = _weights(smooth, number)
    laplacian = (diags_array(weights.sum(axis=1) + 1e-9) - weights).tocsr()
    inner, known = free[there], ~free[there]
    here = chance[there]
    rest = laplacian[inner][:, known] @ here[known]
    here[inner] = spsolve(laplacian[inner][:, inner].tocsc(), -rest)
    chance[there] = here
    return chance


def _weights(smooth: Float[np.ndarray, "h w 3"], number: np.ndarray) -> coo_array:
    """Of steps between the numbered pixels, those along diagonals as long as they are."""
    count = int(number.max()) + 1
    total = coo_array((count, count))
    height, width = number.shape
    for down, right in _STEPS:
        one = np.s_[: height - down, max(-right, 0) : width - max(right, 0)]
        other = np.s_[down:, max(right, 0) : width - max(-right, 0)]
        both = (number[one] >= 0) & (number[other] >= 0)
        squares = np.square(smooth[one] - smooth[other]).sum(axis=-1)[both] / np.hypot(down, right)
        weight = np.exp(-_UNWILLING * squares) + _LEAST
        ends = number[one][both], number[other][both]
        total = total + coo_array((weight, ends), shape=(count, count))
    return (total + total.T).tocsr()
