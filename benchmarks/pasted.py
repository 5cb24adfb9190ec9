"""Photos with things before their faces: hands, masks, hair, bars and glasses, drawn with shade.

Where they go is told by the landmarks of the bare photo. A hand has the tone of the person's skin.
"""

from collections.abc import Callable

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = ["THINGS", "pasted"]

_SEED = 18
_MASK = (
    *(234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288),
    *(361, 323, 454, 352, 347, 6, 118, 123),
)
_Points = np.ndarray  # 478 x 2
_Drawn = tuple[np.ndarray, np.ndarray]  # opacity, H x W, and colours, H x W x 3


def pasted(pixels: np.ndarray, points: _Points, thing: str) -> tuple[np.ndarray, np.ndarray]:
    """A photo with something before its face, and where that is, 0 to 1.

    Args:
        pixels: RGB in [0, 1].
        points: the 478 landmarks of the face, in pixels.
        thing: one of `THINGS`.
    """
    cover, colours = THINGS[thing](pixels, points, np.random.default_rng(_SEED))
    share = cover[..., None]
    return np.clip(pixels * (1 - share) + colours * share, 0, 1).astype(np.float32), cover


class _Axes:
    """Lengths and directions of a face in a photo."""

    def __init__(self, pixels: np.ndarray, points: _Points) -> None:
        height, width = pixels.shape[:2]
        self.x, self.y = np.mgrid[0:height, 0:width][::-1] + 0.5
        self.eyes = float(np.linalg.norm(points[33] - points[263]))
        up = points[10] - points[152]
        self.up = up / np.linalg.norm(up)
        self.side = np.array([-self.up[1], self.up[0]])

    def rod(self, start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
        """The distance of each pixel from the axis of a rod, in its radii."""
        along = end - start
        x, y = self.x - start[0], self.y - start[1]
        share = np.clip((x * along[0] + y * along[1]) / (along @ along + 1e-9), 0, 1)
        return np.hypot(x - share * along[0], y - share * along[1]) / radius


def _hand(pixels: np.ndarray, points: _Points, rng: np.random.Generator) -> _Drawn:
    """Four fingers and a back over mouth and chin."""
    axes = _Axes(pixels, points)
    eyes, up, side = axes.eyes, axes.up, axes.side
    mouth = (points[13] + points[14]) / 2
    knuckles = mouth - 0.25 * eyes * up + 0.75 * eyes * side
    back = knuckles + 0.1 * eyes * (up + side)
    far = axes.rod(back, knuckles + 1.2 * eyes * side - 0.6 * eyes * up, 0.42 * eyes)
    for k in range(4):
        start = knuckles + eyes * (0.22 * k - 0.3) * up
        end = mouth + eyes * (0.26 * k - 0.42) * up - eyes * (0.45 - 0.08 * abs(k - 1.5)) * side
        far = np.minimum(far, axes.rod(start, end, 0.125 * eyes))
    tone = np.median([_at(pixels, points[k]) for k in (205, 425, 4)], axis=0)
    fine = gaussian_filter(rng.normal(0, 1, far.shape), 0.03 * eyes) * 0.0036 * eyes
    shade = (0.55 + 0.5 * np.sqrt(np.clip(1 - far**2, 0, 1))) * (1 + fine)
    return np.clip((1.04 - far) / 0.08, 0, 1), tone * shade[..., None]


def _mask(pixels: np.ndarray, points: _Points, rng: np.random.Generator) -> _Drawn:
    """Blue cloth with folds over nose, mouth and chin."""
    axes = _Axes(pixels, points)
    cover = np.zeros(axes.x.shape, np.float32)
    cv2.fillPoly(cover, [points[list(_MASK)].astype(np.int32)], 1.0)
    cover = gaussian_filter(cover, max(0.01 * axes.eyes, 0.5))
    x, y = (axes.x - points[4, 0]) / axes.eyes, (axes.y - points[4, 1]) / axes.eyes
    across, along = x * axes.side[0] + y * axes.side[1], x * axes.up[0] + y * axes.up[1]
    shade = 0.62 + 0.12 * np.cos(2.2 * across) + 0.03 * np.sin(40 * along)
    return np.clip((cover - 0.3) / 0.4, 0, 1), np.array([0.72, 0.88, 0.95]) * shade[..., None]


def _hair(pixels: np.ndarray, points: _Points, rng: np.random.Generator) -> _Drawn:
    """Dark strands over one eye."""
    axes = _Axes(pixels, points)
    eyes, up, side = axes.eyes, axes.up, axes.side
    root = points[10] - 0.5 * eyes * side + 0.35 * eyes * up
    tip = 0.45 * points[33] + 0.55 * points[234] - eyes * (0.12 * side + 0.55 * up)
    far = np.full(axes.x.shape, np.inf)
    for k in range(9):
        end = tip + 0.1 * k * eyes * side + 0.08 * k * eyes * up
        far = np.minimum(far, axes.rod(root + 0.12 * k * eyes * side, end, 0.085 * eyes))
    waves = 4 * gaussian_filter(rng.normal(0, 1, far.shape), 0.05 * eyes) * 0.05 * eyes
    lines = np.sin((axes.x * side[0] + axes.y * side[1]) / eyes * 90 + waves)
    return np.clip((1.05 - far) / 0.1, 0, 1), np.array([0.16, 0.11, 0.08]) * (
        1 + 0.25 * lines[..., None]
    )


def _bar(pixels: np.ndarray, points: _Points, rng: np.random.Generator) -> _Drawn:
    """Something red from the side over a cheek and an eye."""
    axes = _Axes(pixels, points)
    eyes = axes.eyes
    start, end = points[205] - [1.4 * eyes, -0.5 * eyes], points[50] + [0.3 * eyes, -0.4 * eyes]
    far = axes.rod(start, end, 0.36 * eyes)
    lines = 1 + 0.1 * np.sin(30 * axes.x / eyes)
    return np.clip((1.04 - far) / 0.08, 0, 1), np.array([0.75, 0.2, 0.15]) * lines[..., None]


def _glasses(pixels: np.ndarray, points: _Points, rng: np.random.Generator) -> _Drawn:
    """Two dark rims, a bridge, and temples to the sides of the face; lenses hide nothing."""
    axes = _Axes(pixels, points)
    eyes, up, side = axes.eyes, axes.up, axes.side
    thick = 0.02 * eyes
    middles = [points[list(pair)].mean(0) - 0.03 * eyes * up for pair in ((33, 133), (362, 263))]
    far = np.full(axes.x.shape, np.inf)
    for middle in middles:
        x, y = axes.x - middle[0], axes.y - middle[1]
        across, along = np.abs(x * side[0] + y * side[1]), np.abs(x * up[0] + y * up[1])
        form = (across / (0.27 * eyes)) ** 4 + (along / (0.2 * eyes)) ** 4
        far = np.minimum(far, np.abs(form**0.25 - 1) * 0.22 * eyes / thick)
    outward = side * np.sign((middles[1] - middles[0]) @ side)
    inner = [middles[0] + 0.27 * eyes * outward, middles[1] - 0.27 * eyes * outward]
    outer = [middles[0] - 0.27 * eyes * outward, middles[1] + 0.27 * eyes * outward]
    far = np.minimum(far, axes.rod(*(spot + 0.06 * eyes * up for spot in inner), thick))
    for start, end in zip(outer, points[[234, 454]], strict=True):
        far = np.minimum(far, axes.rod(start + 0.06 * eyes * up, end, thick))
    return np.clip((1.3 - far) / 0.6, 0, 1), np.array([0.14, 0.12, 0.12]) * np.ones((*far.shape, 1))


def _at(pixels: np.ndarray, spot: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    x, y = int(np.clip(spot[0], 0, width - 1)), int(np.clip(spot[1], 0, height - 1))
    colour: np.ndarray = pixels[y, x]
    return colour


THINGS: dict[str, Callable[[np.ndarray, _Points, np.random.Generator], _Drawn]] = {
    "hand": _hand,
    "mask": _mask,
    "hair": _hair,
    "bar": _bar,
    "glasses": _glasses,
}
"""What can be before a face."""
