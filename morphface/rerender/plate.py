"""The photo without the person: what may be behind them, near their head.

From coarse to fine, each unknown patch becomes the mean of patches elsewhere that are like it
(Wexler, Shechtman and Irani 2007), which continues lines and textures; farther from the head's
outline than any turn shows, colours are merely continued.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt

from morphface.render.relief import membrane
from morphface.segment.filters import blurred, distance, single, widened

__all__ = ["inpainted"]

LEAST_KNOWN = 0.2
"""Share of a picture that must be known for anything but a smooth filling."""
RADIUS = 3
"""Of a patch, in pixels."""
FINEST = 120
"""Pixels along a head at which patches are looked for; what is finer is carried along."""
LEVELS = 4
PASSES = 3
"""Times that patches are sought and vote, on each level."""
NEARNESS = 0.03
"""Mean square of colours that a patch as far away as the picture is high must be better by."""
GUESS = 0.25
"""How much what was filled in counts in a patch at most, beside what is known."""
FADING = 1.3
"""How many times less that is with each pixel farther from what is known."""
ROUNDS = 2
"""Times that good shifts are handed on in each."""
JOINED = 0.03
"""Depth, in sizes of the head, to which what is found has the colours of the hole's border."""
EVENED = 0.033
"""Standard deviation around a place of the colours that are compared for that."""
FINE_RADIUS = 2
"""Of the patches that are carried to the picture itself, in its pixels."""
SHARP = 150.0
"""How much less a patch counts that is unlike, per mean square of colours."""


def inpainted(
    pixels: Float[np.ndarray, "H W 3"],
    hole: Bool[np.ndarray, "H W"],
    wanted: Bool[np.ndarray, "H W"],
    head: float,
) -> Float[np.ndarray, "H W 3"]:
    """The picture with its hole filled.

    Args:
        pixels: the picture.
        hole: what is not known of it.
        wanted: where in the hole it matters; the rest is filled smoothly.
        head: size of the head in it, in pixels.
    """
    smooth = membrane(torch.from_numpy(single(pixels)), torch.from_numpy(~hole)).numpy()
    wanted = wanted & hole
    side = 8 * RADIUS + 2
    if (~hole).mean() < LEAST_KNOWN or not wanted.any() or (~hole).sum() < side * side:
        return smooth
    scale = min(FINEST / head, 1.0)
    height, width = hole.shape
    shift = None
    for level in reversed(range(LEVELS)):
        ratio = scale / 2**level
        size = max(round(height * ratio), side), max(round(width * ratio), side)
        image, known, targets = _small(smooth, hole, wanted, size)
        if not len(targets):
            continue
        first = shift is None
        shift = _first(known, targets, shift)
        _filled(image, known, targets, shift, level, first)
    if shift is None:
        return smooth
    return _joined(_carried(pixels, smooth, hole, wanted, shift), smooth, hole, head)


def _joined(
    found: Float[np.ndarray, "H W 3"],
    smooth: Float[np.ndarray, "H W 3"],
    hole: Bool[np.ndarray, "H W"],
    head: float,
) -> Float[np.ndarray, "H W 3"]:
    """What was found, in the colours of what is around the hole next to its border.

    Without that the hole shows as a ring around a head that has turned.
    """
    away = distance(hole) / head
    share = np.exp(-away / JOINED)[..., None].astype(np.float32)
    inside, reach = single(hole)[..., None], EVENED * head
    missing = blurred((smooth - found) * inside, reach)
    missing /= np.maximum(blurred(inside[..., 0], reach)[..., None], 1e-3)
    return np.where(hole[..., None], np.clip(found + share * missing, 0, 1), found)


def _small(
    smooth: Float[np.ndarray, "H W 3"],
    hole: Bool[np.ndarray, "H W"],
    wanted: Bool[np.ndarray, "H W"],
    size: tuple[int, int],
) -> tuple[Float[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"], np.ndarray]:
    """A smaller picture, what is known of it, and the middles of all patches that are to be filled.

    Those around the hole, which know most, are among them.
    """
    import cv2

    def shrunk(values: np.ndarray) -> np.ndarray:
        return cv2.resize(single(values), size[::-1], interpolation=cv2.INTER_AREA)

    known = shrunk(hole) < 1e-3
    filled = (shrunk(wanted) > 1e-3) & ~known
    targets = np.argwhere(widened(filled, RADIUS)) if filled.any() else np.empty((0, 2))
    return shrunk(smooth), known, targets.astype(np.int32)


def _first(
    known: Bool[np.ndarray, "h w"], targets: np.ndarray, coarse: np.ndarray | None
) -> np.ndarray:
    """Shifts to begin with: those of the coarser level, else to what is known next to it."""
    import cv2

    rows, columns = known.shape
    shift = np.zeros((rows, columns, 2), np.int32)
    if coarse is not None:
        ratio = np.array([rows / coarse.shape[0], columns / coarse.shape[1]])
        large = cv2.resize(single(coarse), (columns, rows), interpolation=cv2.INTER_NEAREST)
        shift = np.round(large * ratio).astype(np.int32)
    good = _whole(known)
    y, x = targets.T
    to = y + shift[y, x, 0], x + shift[y, x, 1]
    inside = (to[0] >= 0) & (to[0] < rows) & (to[1] >= 0) & (to[1] < columns)
    bad = ~inside
    bad[inside] = ~good[to[0][inside], to[1][inside]]
    if coarse is None:
        bad[:] = True
    if good.any():
        _, nearest = distance_transform_edt(~good, return_indices=True)
        here, edge = np.stack([y, x])[:, bad], nearest[:, y[bad], x[bad]]
        beyond = np.clip(2 * edge - here, 0, [[rows - 1], [columns - 1]])
        mirrored = np.where(good[tuple(beyond)], beyond, edge)
        shift[y[bad], x[bad]] = (mirrored - here).T
    keep = np.zeros((rows, columns), bool)
    keep[y, x] = True
    shift[~keep] = 0
    return shift


def _whole(known: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Centres of patches that are known wholly."""
    inside = np.zeros_like(known)
    inside[RADIUS:-RADIUS, RADIUS:-RADIUS] = True
    return inside & ~widened(~known, RADIUS)


def _worth(known: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """What each pixel counts in a patch: less the deeper in the hole it is.

    So what is next to the hole's border follows the border, and what is deeper follows that.
    """
    return np.where(known, 1.0, GUESS * FADING ** -distance(~known)).astype(np.float32)


def _filled(
    image: Float[np.ndarray, "h w 3"],
    known: Bool[np.ndarray, "h w"],
    targets: np.ndarray,
    shift: np.ndarray,
    level: int,
    first: bool,
) -> Float[np.ndarray, "h w 3"]:
    """The picture of one level, filled; `shift` is improved in place."""
    from morphface.render.backends.kernels.patches import match, vote

    image = np.ascontiguousarray(image, np.float32)
    known, whole, worth = np.ascontiguousarray(known), _whole(known), _worth(known)
    costs = np.full(known.shape, 1e30, np.float32)
    far = max(known.shape) // 2
    if not first:  # what the coarser level has found, seen as finely as this one
        costs[targets[:, 0], targets[:, 1]] = 0
        vote(image, known, worth, targets, shift, costs, RADIUS, SHARP, image)
    for turn in range(PASSES):
        seed = 1 + turn + PASSES * level
        asked = single(known) if first and turn == 0 else worth
        match(image, asked, whole, targets, shift, costs, RADIUS, far, ROUNDS, NEARNESS, seed)
        vote(image, known, worth, targets, shift, costs, RADIUS, SHARP, image)
    return image


def _carried(
    pixels: Float[np.ndarray, "H W 3"],
    smooth: Float[np.ndarray, "H W 3"],
    hole: Bool[np.ndarray, "H W"],
    wanted: Bool[np.ndarray, "H W"],
    shift: np.ndarray,
) -> Float[np.ndarray, "H W 3"]:
    """The shifts of the finest level, applied to the picture itself."""
    import cv2

    from morphface.render.backends.kernels.patches import vote

    height, width = hole.shape
    ratio = np.array([height / shift.shape[0], width / shift.shape[1]])
    large = cv2.resize(single(shift), (width, height), interpolation=cv2.INTER_NEAREST)
    large = np.round(large * ratio).astype(np.int32)
    rows, columns = np.nonzero(wanted)
    to = rows + large[rows, columns, 0], columns + large[rows, columns, 1]
    margin = FINE_RADIUS
    inside = (to[0] >= margin) & (to[0] < height - margin)
    inside &= (to[1] >= margin) & (to[1] < width - margin)
    costs = np.full(hole.shape, 1e30, np.float32)
    clear = ~widened(hole, margin)
    inside[inside] = clear[to[0][inside], to[1][inside]]
    costs[rows[inside], columns[inside]] = 0
    targets = np.stack([rows, columns], -1).astype(np.int32)
    image, known = np.ascontiguousarray(pixels, np.float32), ~hole
    out = smooth.copy()
    vote(image, known, _worth(known), targets, large, costs, margin, SHARP, out)
    return out
