"""The frames of glasses: a dark line around each eye, farther out than lids and lashes are.

Around an eye the darkest closed line is looked for, by dynamic programming over the distance from
its middle in all directions (as active contours are: Amini, Weymouth and Jain 1990). Where skin is
on both sides of most of that line, beside and below both eyes, it is a frame: wrinkles and bags
make arcs that are fainter, or end. Lines that touch it, the bridge and the temples, belong to it.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import binary_dilation, binary_propagation

from morphface.fit.covered.raster import FaceRaster

__all__ = ["closed_path", "frames_before"]

_RADII = np.arange(13.0, 38.0, 0.75)
"""Millimetres from the middle of an eye within which a rim is looked for."""
_WAYS = np.linspace(-np.pi, np.pi, 72, endpoint=False)
"""Directions in which it is; that of the subject's left is 0, up a quarter turn."""
_BEND, _STEPS = 0.02, 3
"""What a change by one radius from one direction to the next costs, and the largest change."""
_FULL = 0.5
"""Darkness, a logarithm, beyond which a line is not better."""
_UNSEEN = 0.04
"""What a line counts for where brows or lids are, which may hide it."""
_JUDGED, _LEAST = 0.64, 0.4
"""Sine of the directions below which rims are judged: brows are above; and the share of these in
which there must be skin."""
_DARK, _FEW = 0.2, 0.3
"""Darkness of a rim, and in which share of what is judged it may be missed. Of some forty
portraits three, with glasses, had 0.25 to 0.5, and the others 0.17 at most."""
_THICK = 7
"""Pixels of the raster within which darkness is a line, not shade."""
_LINE, _WIDE = 0.1, 2.5
"""Darkness from which a pixel belongs to a line, and millimetres from the middle of a rim within
which one belongs to it."""
_ZONE = (-32.0, 25.0)
"""Millimetres above the middle of both rims between which bridge and temples are."""
_NOISE = 0.03
"""Of a picture's values, added before logarithms."""


def frames_before(face: FaceRaster) -> Float[np.ndarray, "h w"]:
    """Where the frame of glasses is, 0 or 1; nowhere unless both eyes have one.

    Args:
        face: as the photo shows it.
    """
    nothing, axes = np.zeros(face.seen.shape), face.axes
    if axes is None or face.middles is None:
        return nothing
    dark = _lines(face)
    rims = []
    for middle in face.middles:
        rim = _rim(dark, face.skin, middle, axes)
        if rim is None:
            return nothing
        rims.append(rim)
    return _grown(rims, np.where(face.skin, dark, 0.0), axes[1])


def _lines(face: FaceRaster) -> Float[np.ndarray, "h w"]:
    """How much darker each pixel is than both of its sides, a logarithm."""
    bright = np.log(face.colours.mean(axis=-1) + _NOISE).astype(np.float32)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THICK, _THICK))
    return np.asarray(cv2.morphologyEx(bright, cv2.MORPH_BLACKHAT, around))


def _rim(
    dark: Float[np.ndarray, "h w"],
    skin: Bool[np.ndarray, "h w"],
    middle: Float[np.ndarray, "2"],
    axes: tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]],
) -> Float[np.ndarray, "n 2"] | None:
    """Pixels of the rim around an eye, one in each direction; None where there is none."""
    left, up = axes
    ways = np.cos(_WAYS)[:, None] * left + np.sin(_WAYS)[:, None] * up
    spots = (middle + _RADII[:, None] * ways[:, None]).astype(np.float32)
    value, known = (
        cv2.remap(picture.astype(np.float32), spots[..., 0], spots[..., 1], cv2.INTER_LINEAR)
        for picture in (np.where(skin, dark, 0.0), skin)
    )
    path = closed_path(np.where(known > 0.5, np.minimum(value, _FULL), _UNSEEN))
    here = np.arange(len(_WAYS)), path
    judged = np.sin(_WAYS) < _JUDGED
    told = judged & (known[here] > 0.5)
    if told.sum() < _LEAST * judged.sum() or np.quantile(value[here][told], _FEW) < _DARK:
        return None
    return spots[here]


def closed_path(gain: Float[np.ndarray, "n m"]) -> Int[np.ndarray, " n"]:
    """The column of each row on the closed path that gains most.

    It is taken from the middle of the best path that goes around twice.

    Args:
        gain: of each place; a change by one column costs `_BEND`, more than `_STEPS` cannot be.
    """
    rows, columns = gain.shape
    bends = np.arange(-_STEPS, _STEPS + 1)
    best, back = gain[0], np.empty((2 * rows, columns), dtype=int)
    before = np.arange(columns)[:, None] + bends
    inside = (before >= 0) & (before < columns)
    before = before.clip(0, columns - 1)
    for k in range(1, 2 * rows):
        tried = np.where(inside, best[before] - _BEND * np.abs(bends), -np.inf)
        chosen = tried.argmax(axis=1)
        back[k] = before[np.arange(columns), chosen]
        best = tried.max(axis=1) + gain[k % rows]
    path = np.empty(2 * rows, dtype=int)
    path[-1] = best.argmax()
    for k in range(2 * rows - 1, 0, -1):
        path[k - 1] = back[k, path[k]]
    half = rows // 2  # away from both ends
    return np.roll(path[half : half + rows], half)


def _grown(
    rims: list[Float[np.ndarray, "n 2"]],
    dark: Float[np.ndarray, "h w"],
    up: Float[np.ndarray, "2"],
) -> Float[np.ndarray, "h w"]:
    """The rims, and what lines outside are connected to them between the brows and the cheeks."""
    unit, middle = float(np.linalg.norm(up)), np.concatenate(rims).mean(axis=0)
    drawn, inside = np.zeros(dark.shape, np.uint8), np.zeros(dark.shape, np.uint8)
    closed = [np.round(rim).astype(np.int32) for rim in rims]
    cv2.polylines(drawn, closed, True, 1, max(1, round(2 * _WIDE * unit)))
    cv2.fillPoly(inside, closed, 1)
    y, x = np.mgrid[: dark.shape[0], : dark.shape[1]]
    above = ((np.stack([x, y], -1) - middle) @ up) / unit**2
    lines = (dark > _LINE) & ((drawn > 0) | (inside == 0)) & (above > _ZONE[0]) & (above < _ZONE[1])
    found = binary_propagation((drawn > 0) & lines, mask=lines)
    return 1.0 * binary_dilation(found)  # a thin line's edges are blurred
