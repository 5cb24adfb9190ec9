"""The texture layout: the face upright over most of the map, small parts in a row above it.

The source's islands keep their seams; that of the skin is stretched so that the face, of which
photos have pixels, gets the most of the map, and the back of the head, which they lack, little.
"""

import numpy as np

SKIN = (0.005, 0.005, 0.995, 0.85)  # left, bottom, right, top
BOXES = {
    "mouth": (0.005, 0.86, 0.125, 0.995),
    "nape": (0.135, 0.935, 0.285, 0.995),
    "tongue": (0.135, 0.86, 0.285, 0.925),
    "left socket": (0.295, 0.935, 0.375, 0.995),
    "right socket": (0.295, 0.86, 0.375, 0.925),
    "upper": (0.385, 0.935, 0.695, 0.995),
    "lower": (0.385, 0.86, 0.695, 0.925),
}
EYES = ((0.7725, 0.9275), (0.9225, 0.9275))  # where the left and the right pupil look at
EYE_RADIUS, EYE_POWER = 0.067, 0.7  # of the disc of an eyeball; the front takes more than its share
FACE = (0.31, 0.06, 0.69, 0.66)  # in the source's island, upright and scaled to the unit square
TAKEN = 0.9  # of width and of height of the skin's box, for the face
SOFT = 0.05  # over which the stretching changes


def stretched(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """A smooth, rising map of [0, 1] onto itself that gives `TAKEN` of it to [low, high]."""
    grid = np.linspace(0, 1, 4001)
    inside = 0.5 * (np.tanh((grid - low) / SOFT) - np.tanh((grid - high) / SOFT))
    share = inside.mean()
    within = inside[(grid >= low) & (grid <= high)].sum() / len(grid)
    gain = (TAKEN - (high - low)) / (within - TAKEN * share)
    density = 1 + gain * inside
    total = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.interp(value, grid, total / total[-1])


def place(uv: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Points scaled to fill a box."""
    low, high = uv.min(0), uv.max(0)
    left, bottom, right, top = box
    return (uv - low) / (high - low) * [right - left, top - bottom] + [left, bottom]


def place_skin(uv: np.ndarray) -> np.ndarray:
    """The island of the skin, turned upright and stretched for the face."""
    upright = place(uv[:, [1, 0]] * [1, -1], (0, 0, 1, 1))
    left, bottom, right, top = FACE
    u, v = stretched(upright[:, 0], left, right), stretched(upright[:, 1], bottom, top)
    return place(np.stack([u, v], -1), SKIN)


def place_eye(ball: np.ndarray, side: int) -> np.ndarray:
    """A unit sphere that looks along +z, as a disc around its pupil.

    Args:
        ball: its points; the pole at the back must not be among them.
        side: 0 for the left eye.
    """
    polar = np.arccos(ball[:, 2].clip(-1, 1)) / np.pi
    length = np.maximum(np.linalg.norm(ball[:, :2], axis=1), 1e-9)
    return EYES[side] + EYE_RADIUS * (polar**EYE_POWER / length)[:, None] * ball[:, :2]


def islands(uv_quads: np.ndarray, size: int) -> np.ndarray:
    """A label for each texture point: points of one label hang together."""
    label = np.arange(size)
    while True:
        lowest = label[uv_quads].min(1)
        new = label.copy()
        for corner in range(4):
            np.minimum.at(new, uv_quads[:, corner], lowest)
        new = new[new]
        if (new == label).all():
            return label
        label = new


def of_skin(uv: np.ndarray, quads: np.ndarray) -> dict[str, np.ndarray]:
    """Texture points of the islands of the body, by name.

    Args:
        uv: as the source has them.
        quads: of the body, over them.
    """
    label = islands(quads, len(uv))
    names, counts = np.unique(label[quads].ravel(), return_counts=True)
    skin, *rest = (np.flatnonzero(label == n) for n in names[np.argsort(-counts)])
    rest.sort(key=lambda rows: uv[rows, 1].mean())
    mouth, *sockets, nape = rest
    sockets.sort(key=lambda rows: uv[rows, 0].mean())
    return {
        "skin": skin,
        "mouth": mouth,
        "nape": nape,
        "right socket": sockets[0],
        "left socket": sockets[1],
    }
