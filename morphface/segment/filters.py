"""Filters of pictures that segmentation is made of, on numpy arrays with channels last."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

__all__ = [
    "blurred",
    "distance",
    "foreground",
    "grown",
    "guided",
    "mean_around",
    "mean_near",
    "single",
    "widened",
]

WIDE = 5.0
"""Standard deviation, in pixels, of a Gaussian that is wide: coarser pixels do."""
LEAST = 5
"""Coarse pixels along a picture, at least."""
MOST = 4
"""Channels that OpenCV filters at once."""


def single(values: Any) -> np.ndarray:
    """Values in single precision, as the filters want them.

    Args:
        values: numbers or truth values.
    """
    return np.asarray(values, np.float32)


def blurred(values: np.ndarray, sigma: float | tuple[float, float]) -> np.ndarray:
    """Values smoothed by a Gaussian; the border goes on.

    Args:
        values: of a picture, H W or H W C, numbers or truth values.
        sigma: of the Gaussian, in pixels; across and down, where they differ.
    """
    import cv2

    if values.ndim == 3 and values.shape[2] > MOST:
        starts = range(0, values.shape[2], MOST)
        return np.concatenate([blurred(values[..., k : k + MOST], sigma) for k in starts], -1)
    source, (height, width) = np.ascontiguousarray(values, np.float32), values.shape[:2]
    across, down = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    sigmas, size = [across, down], [width, height]
    for axis, (wide, whole) in enumerate(((across, width), (down, height))):
        ratio = min(int(wide / WIDE), whole // LEAST)
        if ratio > 1:  # what is wide needs no fine pixels
            size[axis] = -(-whole // ratio)
            # Boxes blur by 1 / 12 of a pixel squared, and so do the lines between them.
            sigmas[axis] = np.sqrt((wide * size[axis] / whole) ** 2 - 1 / 6)
    x, y = (max(wide, 0.3) for wide in sigmas)
    if size != [width, height]:
        small = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        found = cv2.GaussianBlur(small, (0, 0), x, sigmaY=y, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(found, (width, height))).reshape(values.shape)
    planes = cv2.GaussianBlur(source, (0, 0), x, sigmaY=y, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(planes).reshape(values.shape)


def distance(inside: Bool[np.ndarray, "H W"]) -> Float[np.ndarray, "H W"]:
    """From each pixel to the next one outside a mask, in pixels; 0 outside.

    Args:
        inside: the mask.
    """
    import cv2

    found = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(found)


def mean_around(values: np.ndarray) -> np.ndarray:
    """The mean of each pixel and its eight neighbours.

    Args:
        values: of a picture, H W or H W C.
    """
    import cv2

    found = cv2.blur(single(values), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found).reshape(values.shape)


def widened(mask: Bool[np.ndarray, "H W"], reach: int) -> Bool[np.ndarray, "H W"]:
    """Where a mask is within a reach along both axes.

    Args:
        mask: of a picture.
        reach: in pixels.
    """
    import cv2

    kernel = np.ones((2 * reach + 1,) * 2, np.uint8)
    found: Bool[np.ndarray, "H W"] = cv2.dilate(mask.astype(np.uint8), kernel) > 0
    return found


def grown(
    values: Float[np.ndarray, "H W C"], mask: Float[np.ndarray, "H W"], steps: int
) -> Float[np.ndarray, "H W C"]:
    """Values where there is something, and some pixels beside it those of what is next.

    Args:
        values: of a picture.
        mask: 1 where they are known, 0 elsewhere.
        steps: how many pixels.
    """
    known, found = np.pad(mask, 1), np.pad(values, ((1, 1), (1, 1), (0, 0)))
    shifts = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
    for _ in range(steps):
        near = mean_around(known) > 1e-6
        near[0] = near[-1] = near[:, 0] = near[:, -1] = False
        rows, columns = np.nonzero(near & (known == 0))
        weights = [known[rows + y, columns + x][:, None] for y, x in shifts]
        total = sum(
            w * found[rows + y, columns + x] for w, (y, x) in zip(weights, shifts, strict=True)
        )
        found[rows, columns] = total / np.maximum(sum(weights), 1e-6)
        known[rows, columns] = 1
    return found[1:-1, 1:-1]


def mean_near(
    values: Float[np.ndarray, "H W C"],
    weight: Float[np.ndarray, "H W"],
    sigma: float | tuple[float, float],
) -> tuple[Float[np.ndarray, "H W C"], Float[np.ndarray, "H W"]]:
    """The weighted mean of values around each pixel, and how much weight there is.

    Args:
        values: of a picture.
        weight: of each pixel, 0 to 1.
        sigma: of the Gaussian around, as of `blurred`.
    """
    total = blurred(weight, sigma)
    return blurred(values * weight[..., None], sigma) / (total[..., None] + 1e-6), total


def guided(
    guide: Float[np.ndarray, "H W"],
    values: Float[np.ndarray, "H W"],
    radius: float,
    noise: float = 1e-3,
) -> Float[np.ndarray, "H W"]:
    """Values with the edges of the guide (He, Sun and Tang 2010, equations 5, 6 and 8).

    Args:
        guide: grey picture.
        values: to be filtered.
        radius: of the windows, in pixels.
        noise: variance of the guide below which nothing is an edge.
    """
    import cv2

    side = 2 * max(round(radius), 1) + 1

    def mean(picture: np.ndarray) -> np.ndarray:
        planes = picture.astype(np.float32)
        return np.asarray(cv2.blur(planes, (side, side), borderType=cv2.BORDER_REPLICATE))

    middle, level = mean(guide), mean(values)
    slope = (mean(guide * values) - middle * level) / (mean(guide * guide) - middle**2 + noise)
    return mean(slope) * guide + mean(level - slope * middle)


def foreground(
    pixels: Float[np.ndarray, "H W 3"], matte: Float[np.ndarray, "H W"], size: float
) -> Float[np.ndarray, "H W 3"]:
    """What the person's colour is where a pixel shows person and background mixed.

    Two passes of blur fusion (Forte 2021, "Approximate fast foreground colour estimation",
    algorithm 1), and then the person's colours continued outwards.

    Args:
        pixels: the picture.
        matte: share of the person in each pixel, 0 to 1.
        size: how far to look around, in pixels.
    """
    front, back = pixels, pixels
    share = matte[..., None]
    for sigma in (size, size / 6):
        mean_front, _ = mean_near(front, matte, sigma)
        mean_back, _ = mean_near(back, 1 - matte, sigma)
        rest = pixels - share * mean_front - (1 - share) * mean_back
        front = np.clip(mean_front + share * rest, 0, 1)
        back = mean_back
    outside, known = mean_near(pixels, single(matte > 0.97), size / 2)
    far: Bool[np.ndarray, "H W 1"] = (matte < 0.02)[..., None] & (known > 1e-4)[..., None]
    return np.where(share > 0.995, pixels, np.where(far, outside, front))
