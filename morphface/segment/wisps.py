"""Single hairs beside a person, which a matte leaves out: what is behind must be free of them.

Where a head turns, they would stay in the air. Lengths are shares of its size in the picture.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import label

from morphface.segment.filters import blurred, distance, mean_near, single, widened

__all__ = ["wisps"]

THICK = 0.01
"""How thick they are, at most."""
REACH = 0.12
"""How far they stand off."""
USUAL = 0.15, 0.3
"""How far away lines are looked at that are none of them."""
STRONGER = 1.3
"""How many times as strong they must be as one of ten pixels there."""
LEAST = 0.012
"""How strong at least, in grey."""
AROUND = 0.05
"""Standard deviation around a pixel of the hair that they must belong to."""
SOME = 0.02
"""Share of that around it."""
ALIKE = 0.5
"""Cosine between what they change and the way to the colour of that hair."""
GAP = 2
"""Pixels between pieces of one."""


def wisps(
    pixels: Float[np.ndarray, "H W 3"],
    person: Bool[np.ndarray, "H W"],
    hair: Float[np.ndarray, "H W"],
    size: float,
) -> Bool[np.ndarray, "H W"]:
    """Thin lines of the colour of hair that begin at it.

    Args:
        pixels: the picture.
        person: what the matte has of them.
        hair: how far each pixel shows their hair.
        size: of the head, in pixels.
    """
    away = distance(~person) / size
    colour, some = mean_near(pixels, hair, AROUND * size)
    radius = max(round(THICK * size), 1)
    lines = _lines(pixels, radius)
    beyond = (away > USUAL[0]) & (away < USUAL[1])
    usual = float(np.quantile(lines[beyond], 0.9)) if beyond.any() else 0.0
    change = pixels - blurred(pixels, 2 * radius)
    wanted = colour - pixels + change
    both = np.linalg.norm(change, axis=-1) * np.linalg.norm(wanted, axis=-1)
    alike = (change * wanted).sum(-1) > ALIKE * both
    found = (lines > max(LEAST, STRONGER * usual)) & (away < REACH) & (some > SOME) & alike
    parts, _ = label(widened(found, GAP) | widened(person, 2 * GAP))
    kept: Bool[np.ndarray, "H W"] = found & ~person & np.isin(parts, np.unique(parts[person]))
    return kept


def _lines(pixels: Float[np.ndarray, "H W 3"], radius: int) -> Float[np.ndarray, "H W"]:
    """How much lighter or darker than both its sides each pixel is, as part of something thin."""
    import cv2

    grey, square = single(pixels.mean(-1)), np.ones((2 * radius + 1,) * 2, np.uint8)
    without = [cv2.morphologyEx(grey, kind, square) for kind in (cv2.MORPH_OPEN, cv2.MORPH_CLOSE)]
    return np.maximum(grey - without[0], without[1] - grey)
