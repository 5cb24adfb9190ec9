"""Colours of the back of a head, which a photo does not show, from those near its outline."""

import numpy as np
from jaxtyping import Bool, Float

from morphface.core.ramps import ramp
from morphface.segment.filters import blurred, distance, mean_near, single

__all__ = ["hair_colours"]

NEAR = 0.12
"""How far from the outline colours are taken, in sizes of the head."""
WIDTHS = (0.08, 0.04), (0.4, 0.05), (1.2, 0.1), (3.0, 0.25)
"""How far around each place, across and down, from near to far, in sizes of the head: what goes
round a head, a brim or a hairline, is as high behind as beside it, and bare shoulders say nothing
of the back of a head."""
KNOWN = 0.15, 0.15, 0.15, 0.01
"""Share of such places around one from which on their mean is believed wholly."""
ROUND = 1.2, 0.05
"""How far across and down colours are the mean of both sides of the head, in sizes of it."""
ODD = 2.0
"""Differences to the usual colour, in usual ones, from which a colour is not continued."""
ODDEST = 0.12
"""The same, as a colour, at least."""
GRAIN = 0.03
"""What is finer than this, in sizes of the head, is grain."""
PATCHES = 0.14, 0.08, 0.05
"""Sizes of a patch of it: the first that fits into the hair, of which short hair shows a strip."""
PLACES = 1.0
"""Places that there must be for one, in areas of it: of few, repetitions are seen."""
SURE = 0.7
"""Share of hair in a pixel that counts as hair."""
CHOICE = 1500
"""Places that patches are chosen from, at most."""
STRONG = 4.0
"""Most that a detail is, in usual ones: what is stronger is an ornament and no hair."""
MOST = 0.08
"""Mean size of detail, at most: hair has less, patterns of a hat more."""
HUE = 0.2
"""Difference of colours that a patch may be away for, in sizes of the head."""
SOFT = 0.02
"""How far around a place hair is counted, in sizes of the head."""
INNER = 0.7
"""Share of it from which on it is no edge."""
FADED = 0.05
"""How softly the front of hair becomes what is behind a face, in sizes of the head."""
MIRRORED = 0.95
"""Share of the front from which on no detail is made."""
STEEP = 0.5
"""How fast the distance to such hair must grow, in pixels a pixel, where it is mirrored whole."""
STRIP = 0.045, 0.06
"""Half of how wide hair is, in sizes of the head, from which on it is mirrored at all, and wholly:
a strip again and again would be stripes."""
REACH = 0.22
"""How far beyond such hair it is mirrored, in sizes of the head."""
DIMMER = 0.92
"""Light that reaches the back of hair, of what reaches the rest."""


def hair_colours(
    colours: Float[np.ndarray, "H W 3"],
    weight: Float[np.ndarray, "H W"],
    hair: Float[np.ndarray, "H W"],
    depth: Float[np.ndarray, "H W"],
    *,
    seen: Bool[np.ndarray, "H W"],
    size: float,
) -> Float[np.ndarray, "H W 3"]:
    """Hair as it is in front, beyond that smooth colours of what is near, with the grain of hair.

    Args:
        colours: of the person.
        weight: which of them may be continued, 0 to 1.
        hair: where hair is, 0 to 1.
        depth: from each pixel to the outline, in sizes of the head.
        seen: what is within the photo's border.
        size: of the head, in pixels.
    """
    near = np.exp(-((depth.clip(0) / NEAR) ** 2)) + 1e-4
    across, down = (width * size for width in ROUND)
    ring = mean_near(colours, weight * near, (across, down))[0]
    usual = _usual(colours, hair, ring)
    rim = weight * usual * near
    found = np.zeros_like(colours)
    left = np.ones_like(weight)
    for (across, down), enough in zip(WIDTHS, KNOWN, strict=True):
        mean, known = mean_near(colours, rim, (across * size, down * size))
        share = np.clip(known / enough, 0, 1) * left
        found += share[..., None] * mean
        left = left - share
    all_mean = (colours * rim[..., None]).sum((0, 1)) / max(rim.sum(), 1e-6)
    found += left[..., None] * all_mean
    found = blurred(single(found), 0.02 * size)
    dimmer = 1 - (1 - DIMMER) * np.clip(depth / NEAR, 0, 1)[..., None]
    shown = hair * seen
    front, share = _mirrored(colours * dimmer, usual * (weight > 0), shown, size)
    hairy = np.clip(mean_near(hair[..., None], weight, 0.1 * size)[0], 0, 1)
    places = hair * (share[..., 0] < MIRRORED), shown
    behind = found * DIMMER + hairy * _detail(colours, places, found, size)
    return np.clip(behind + share * (front - behind), 0, 1)


def _mirrored(
    colours: Float[np.ndarray, "H W 3"],
    usual: Float[np.ndarray, "H W"],
    hair: Float[np.ndarray, "H W"],
    size: float,
) -> tuple[Float[np.ndarray, "H W 3"], Float[np.ndarray, "H W 1"]]:
    """Hair as the front shows it, mirrored where that ends, and how far there is any.

    Strands go on behind an outline as they are before it, and behind a face as beside it.
    """
    import cv2

    inner = blurred(single(hair > SURE), SOFT * size) > INNER
    away = distance(~inner)
    slope = np.stack(np.gradient(blurred(away, FADED * size)))
    # Where two sides are as near, one goes over into the other.
    slope = slope / np.maximum(np.linalg.norm(slope, axis=0), STEEP)
    y, x = single(np.mgrid[: hair.shape[0], : hair.shape[1]] - 2 * away * slope)
    both = single(np.dstack([colours * usual[..., None], usual]))  # so that no ornament is mixed in
    found, known = np.split(cv2.remap(both, x, y, cv2.INTER_LINEAR), [3], axis=-1)
    found, known = found / np.maximum(known, 1e-6), known[..., 0]
    there = single(cv2.remap(single(inner), x, y, cv2.INTER_NEAREST) * (away < REACH * size))
    share = blurred(known * there, FADED * size) * known * blurred(there, SOFT * size)
    side = 2 * round(REACH * size) + 1
    wide = cv2.dilate(distance(inner), np.ones((side, side), np.uint8)) / size
    return found, (share * ramp(wide, *STRIP))[..., None]


def _usual(
    colours: Float[np.ndarray, "H W 3"],
    hair: Float[np.ndarray, "H W"],
    ring: Float[np.ndarray, "H W 3"],
) -> Float[np.ndarray, "H W"]:
    """How far colours of hair may be continued: those that hair has, and what goes round a head.

    Flowers at one side of it do not, nor what is behind it.
    """
    chosen = colours[hair > SURE]
    if not len(chosen):
        return np.ones_like(hair)
    middle = np.median(chosen, 0)
    spread = np.median(np.linalg.norm(chosen - middle, axis=-1))
    away = np.minimum(*(np.linalg.norm(colours - usual, axis=-1) for usual in (middle, ring)))
    return single(1 - hair * (1 - 1 / (1 + (away / max(ODD * spread, ODDEST)) ** 4)))


def _detail(
    colours: Float[np.ndarray, "H W 3"],
    both: tuple[Float[np.ndarray, "H W"], Float[np.ndarray, "H W"]],
    wanted: Float[np.ndarray, "H W 3"],
    size: float,
) -> Float[np.ndarray, "H W 3"]:
    """Overlapping patches of what is fine in hair, from near places of the wanted colour."""
    everywhere, hair = both
    rows, columns = hair.shape
    out = np.zeros_like(colours)
    side, inside = _room_for_patches(hair, size)
    half = side // 2
    y, x = np.nonzero(inside[half : rows - half, half : columns - half])
    if not len(y):
        return out
    smooth = mean_near(colours, hair, GRAIN * size)[0]
    fine = colours - smooth
    few = max(len(y) // CHOICE, 1)
    y, x = y[::few], x[::few]
    colour = blurred(smooth, half / 2)[y + half, x + half]
    usual = np.median(np.abs(fine[inside]).mean(-1))
    fine = np.clip(fine, -STRONG * usual, STRONG * usual) * min(1.0, MOST / max(usual, 1e-6))
    window = np.hanning(side + 2)[1:-1]
    window = (window[:, None] * window)[..., None]
    power = np.zeros((rows, columns, 1), np.float32)
    rng = np.random.default_rng(0)
    near = blurred(single(everywhere > 0.05), side) > 1e-3
    steps = np.mgrid[0 : rows - side : half, 0 : columns - side : half]
    jitter = rng.integers(-(side // 8), side // 8 + 1, steps.shape)
    most = np.array([rows - side, columns - side])
    kept = max(len(y) // 8, 1)
    for top, left in (steps + jitter).reshape(2, -1).T.clip(0, most):
        if near[top + half, left + half]:
            away = ((y - top) ** 2 + (x - left) ** 2) / size**2
            other = ((colour - wanted[top + half, left + half]) ** 2).sum(-1) / HUE**2
            k = rng.choice(np.argpartition(away + other, kept - 1)[:kept])
            patch = fine[y[k] : y[k] + side, x[k] : x[k] + side]
            out[top : top + side, left : left + side] += window * patch
            power[top : top + side, left : left + side] += window**2
    return single(out / np.sqrt(power + 1e-2))


def _room_for_patches(
    hair: Float[np.ndarray, "H W"], size: float
) -> tuple[int, Bool[np.ndarray, "H W"]]:
    """How large patches are, in pixels, and where the middle of one may be."""
    sides = [max(round(patch * size) // 2 * 2, 4) for patch in PATCHES]
    deep = distance(np.pad(hair > SURE, 1))[1:-1, 1:-1]
    for side in sides:
        inside = deep > side / 2
        if inside.sum() > PLACES * side * side:
            break
    return side, inside
