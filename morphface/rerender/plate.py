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
from morphface.segment.filters import blurred, distance, mean_near, single, widened

__all__ = ["barred", "inpainted"]

LEAST_KNOWN = 0.1
"""Share of a picture that must be known for anything but a smooth filling."""
LEAST_SEEN = 0.01
"""Share of a picture that must be known for that, too: else it has the person's own colours."""
UNSEEN = 0.15
"""How far these are blurred, in sizes of the head."""
RADIUS = 3
"""Of a patch, in pixels."""
FINEST = 120
"""Pixels along a head at which patches are looked for; what is finer is carried along."""
LEVELS = 4
PASSES = 3
"""Times that patches are sought and vote, on each level."""
NEARNESS = 0.1
"""Mean square of colours that a patch as far away as the picture is high must be better by."""
GUESS = 0.25
"""How much what was filled in counts in a patch at most, beside what is known."""
FADING = 1.3
"""How many times less that is with each pixel farther from what is known."""
ROUNDS = 2
"""Times that good shifts are handed on in each."""
HELD = 2, 0.8
"""Level from which on, to the coarsest, what is filled in is held to the smooth filling, and by how
much: little is compared there, and something dark beside a head would fill it all before a wall."""
ENDED = 0.08
"""How far, in sizes of the head, what is found goes over to the smooth filling where it ends."""
JOINED = 0.1
"""Depth, in sizes of the head, to which what is found has the colours of the hole's border."""
EVENED = 0.033
"""Standard deviation around a place of the colours that are compared for that."""
OVERSHOT = 0.03
"""How far, as a colour, that leads beyond both at most: more is a bright or dark rim."""
BARS = 0.02
"""Largest difference of colours in a row or column of a bar along the border of a picture."""
THICK = 0.01
"""How thick a bar is at least, of the picture's longer side."""
FINE_RADIUS = 2
"""Of the patches that are carried to the picture itself, in its pixels."""
SHARP = 150.0
"""How much less a patch counts that is unlike, per mean square of colours."""


def inpainted(
    pixels: Float[np.ndarray, "H W 3"],
    hole: Bool[np.ndarray, "H W"],
    wanted: Bool[np.ndarray, "H W"],
    head: float,
    strange: Bool[np.ndarray, "H W"] | None = None,
) -> Float[np.ndarray, "H W 3"]:
    """The picture with its hole filled.

    Args:
        pixels: the picture.
        hole: what is not known of it.
        wanted: where in the hole it matters; the rest is filled smoothly.
        head: size of the head in it, in pixels.
        strange: what is known and no source of what is behind the person: other people.
    """
    strange = np.zeros_like(hole) if strange is None else strange & ~hole
    if (~hole).mean() < LEAST_SEEN:
        return blurred(pixels, UNSEEN * head)
    smooth = membrane(torch.from_numpy(single(pixels)), torch.from_numpy(~hole)).numpy()
    wanted = wanted & hole
    side = 8 * RADIUS + 2
    clear = ~(hole | strange)
    if clear.mean() < LEAST_KNOWN or not wanted.any() or clear.sum() < side * side:
        return smooth
    scale = min(FINEST / head, 1.0)
    height, width = hole.shape
    shift = None
    for level in reversed(range(LEVELS)):
        ratio = scale / 2**level
        size = max(round(height * ratio), side), max(round(width * ratio), side)
        image, known, whole, targets = _small(smooth, hole, clear, wanted, size)
        if not len(targets):
            continue
        first = shift is None
        shift = _first(whole, targets, shift)
        _filled(image, (known, whole), targets, shift, level, first)
    if shift is None:
        return smooth
    found = _carried(pixels, smooth, hole, clear, wanted, shift)
    sure = np.clip(distance(wanted | ~hole) / (ENDED * head), 0, 1)[..., None]
    found = smooth + single(sure) * (found - smooth)
    return _joined(found, smooth, hole, head)


def barred(pixels: Float[np.ndarray, "H W 3"]) -> Bool[np.ndarray, "H W"]:
    """Where a picture has bars of one colour along its border, which are no picture.

    Args:
        pixels: the picture.
    """
    found = np.zeros(pixels.shape[:2], bool)
    least = max(THICK * max(found.shape), 2)
    for axis in (0, 1):
        lines, mask = pixels.swapaxes(0, axis), found.swapaxes(0, axis)
        for step in (1, -1):
            even = (np.ptp(lines[::step], 1).max(-1) < BARS) & (
                np.abs(lines[::step] - lines[::step][:1, :1]).max((1, 2)) < BARS
            )
            thick = len(even) if even.all() else int(np.argmin(even))
            if least <= thick < len(even) // 2:
                mask[::step][:thick] = True
    return found


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
    low, high = np.minimum(found, smooth) - OVERSHOT, np.maximum(found, smooth) + OVERSHOT
    return np.where(hole[..., None], np.clip(found + share * missing, low, high).clip(0, 1), found)


def _small(
    smooth: Float[np.ndarray, "H W 3"],
    hole: Bool[np.ndarray, "H W"],
    clear: Bool[np.ndarray, "H W"],
    wanted: Bool[np.ndarray, "H W"],
    size: tuple[int, int],
) -> tuple[
    Float[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"], np.ndarray
]:
    """A smaller picture, what is known of it, and the middles of patches: sources, and targets.

    Those around the hole, which know most, are among the targets.
    """
    import cv2

    def shrunk(values: np.ndarray) -> np.ndarray:
        return cv2.resize(single(values), size[::-1], interpolation=cv2.INTER_AREA)

    known = shrunk(hole) < 1e-3
    filled = (shrunk(wanted) > 1e-3) & ~known
    targets = np.argwhere(widened(filled, RADIUS)) if filled.any() else np.empty((0, 2))
    return shrunk(smooth), known, _whole(shrunk(clear) > 1 - 1e-3), targets.astype(np.int32)


def _first(
    good: Bool[np.ndarray, "h w"], targets: np.ndarray, coarse: np.ndarray | None
) -> np.ndarray:
    """Shifts to begin with: those of the coarser level, else to a good place next to it."""
    import cv2

    rows, columns = good.shape
    shift = np.zeros((rows, columns, 2), np.int32)
    if coarse is not None:
        ratio = np.array([rows / coarse.shape[0], columns / coarse.shape[1]])
        large = cv2.resize(single(coarse), (columns, rows), interpolation=cv2.INTER_NEAREST)
        shift = np.round(large * ratio).astype(np.int32)
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
    masks: tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]],
    targets: np.ndarray,
    shift: np.ndarray,
    level: int,
    first: bool,
) -> Float[np.ndarray, "h w 3"]:
    """The picture of one level, filled; `shift` is improved in place.

    The masks are what is known, and middles of patches that are sources.
    """
    from morphface.render.backends.kernels.patches import match, vote

    image = np.ascontiguousarray(image, np.float32)
    smooth = image.copy()
    known, whole = map(np.ascontiguousarray, masks)
    worth = _worth(known)
    costs = np.full(known.shape, 1e30, np.float32)
    far = max(known.shape) // 2
    if not first:  # what the coarser level has found, seen as finely as this one
        costs[targets[:, 0], targets[:, 1]] = 0
        vote(image, known, worth, targets, shift, costs, RADIUS, SHARP, image)
        _hold(image, smooth, known, level)
    for turn in range(PASSES):
        seed = 1 + turn + PASSES * level
        asked = single(known) if first and turn == 0 else worth
        match(image, asked, whole, targets, shift, costs, RADIUS, far, ROUNDS, NEARNESS, seed)
        vote(image, known, worth, targets, shift, costs, RADIUS, SHARP, image)
        _hold(image, smooth, known, level)
    return image


def _hold(
    image: Float[np.ndarray, "h w 3"],
    smooth: Float[np.ndarray, "h w 3"],
    known: Bool[np.ndarray, "h w"],
    level: int,
) -> None:
    """Moves what is filled in, as a patch sees it, towards the smooth filling, in place."""
    first, share = HELD
    if level >= first:
        inside = single(~known)
        image += share * inside[..., None] * mean_near(smooth - image, inside, RADIUS)[0]


def _carried(
    pixels: Float[np.ndarray, "H W 3"],
    smooth: Float[np.ndarray, "H W 3"],
    hole: Bool[np.ndarray, "H W"],
    clear: Bool[np.ndarray, "H W"],
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
    good = ~widened(~clear, margin)
    inside[inside] = good[to[0][inside], to[1][inside]]
    costs[rows[inside], columns[inside]] = 0
    targets = np.stack([rows, columns], -1).astype(np.int32)
    image, known = np.ascontiguousarray(pixels, np.float32), ~hole
    out = smooth.copy()
    vote(image, known, _worth(known), targets, large, costs, margin, SHARP, out)
    return out
