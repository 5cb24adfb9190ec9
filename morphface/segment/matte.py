"""Which part of a photo is the person of a fitted head.

A network says where people are, from several parts of the picture, for it invents some from any
single one. Near the outline, where it is coarse, the colours on both sides decide, and the
picture's own edges by a guided filter. Lengths are shares of the head's size in the picture.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, label
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.geometry.camera import Camera
from morphface.render.rasterize import rasterize
from morphface.render.sight import Sight
from morphface.segment.filters import blurred, distance, guided, single
from morphface.segment.neighbours import nearer_to, other_heads
from morphface.segment.network import likely_person

__all__ = ["Working", "person_matte", "working_size"]

ALONG = 300
"""Pixels along a head at which its outline is worked out."""
MOST = 900
"""The same along a photo, at most."""
CROPS = ((1.0, 1.0), (1.4, 1.0), (1.4, 0.5), (2.0, 0.7))
"""How far around the middle of the head the network looks, in sizes of it, and its gammas."""
BEYOND = 0.15
"""How far beyond the picture, in that reach: little says something new, and where most of a crop is
a border that goes on, nobody is found in it."""
CONTRAST = 0.4, 0.8
"""What the network says below and above which it counts as sure."""
BAND = 0.055
"""How far from the network's outline colours decide."""
NEAR = 0.05
"""How far around a pixel these are taken from."""
LEAST = 0.003
"""Likelihood of either that what the network says leaves to any pixel, whatever its colour."""
SHARP = 0.012
"""Radius of the guided filter."""
INSIDE = 0.03, 0.1
"""How far within its outline the fitted head is certain, and a neck, which no fit looks at."""
SPREAD = 0.03
"""Standard deviation that colours have at least."""


@dataclass(frozen=True, eq=False)
class Working:
    """A photo at the size at which it is segmented.

    Args:
        pixels: RGB in [0, 1].
        head: where the mesh of the head is seen.
        middle: of the head, x and y in pixels.
        size: the longer side of the head, in pixels.
        scale: pixels for one of the photo.
        others: boxes of other people's heads; see `other_heads`.
    """

    pixels: Float[np.ndarray, "H W 3"]
    head: Bool[np.ndarray, "H W"]
    middle: tuple[float, float]
    size: float
    scale: float
    others: Float[np.ndarray, "N 4"]


def working_size(sight: Sight) -> Working:
    """The photo at the size at which it is segmented.

    Args:
        sight: the photo and the head in it.
    """
    import cv2

    height, width = sight.pixels.shape[:2]
    left, top, right, bottom = _bounds(sight.camera, sight.vertices)
    head = max(right - left, bottom - top, 1.0)
    scale = min(ALONG / head, MOST / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    pixels = np.ascontiguousarray(sight.pixels.numpy(), np.float32)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    mask = head_mask(sight, size[::-1], scale)
    middle = (left + right) / 2 * scale, (top + bottom) / 2 * scale
    return Working(small, mask, middle, head * scale, scale, other_heads(small, mask))


def head_mask(sight: Sight, size: tuple[int, int], scale: float) -> Bool[np.ndarray, "H W"]:
    """Where the mesh is seen in a picture of another size.

    Args:
        sight: the photo and the head in it.
        size: height and width.
        scale: pixels for one of the photo.
    """
    screen = sight.camera.project(sight.vertices) * torch.tensor([scale, scale, 1.0])
    perspective = sight.camera.weak_depth is None
    found = rasterize(screen[None], sight.faces, size, perspective=perspective)
    mask: Bool[np.ndarray, "H W"] = found.mask[0].numpy()
    return mask


def person_matte(
    sight: Sight,
    work: Working | None = None,
    neck: Float[np.ndarray, "H W"] | float = 0.0,
) -> Float[np.ndarray, "H W"]:
    """How far each pixel of the working size shows the person, 0 to 1.

    Args:
        sight: the photo and the head in it.
        work: what `working_size` makes of `sight`, if it is at hand.
        neck: how far each pixel of the working size shows the neck of the mesh.
    """
    work = work or working_size(sight)
    found = _asked(work)
    depth = distance(work.head)
    certain = depth > (INSIDE[0] + (INSIDE[1] - INSIDE[0]) * neck) * work.size
    found = np.where(certain, 1.0, found)
    for other in work.others:
        found = np.where(nearer_to(other, work.head, work.middle), 0.0, found)
    found = _joined(found, certain)
    fine = _by_colour(work, found)
    fine = guided(work.pixels.mean(-1), fine, SHARP * work.size)
    fine = np.where(certain, 1.0, np.clip((fine - 0.05) / 0.9, 0, 1))
    return single(_joined(_filled(fine, _may_have_gaps(work)), certain))


def _asked(work: Working) -> Float[np.ndarray, "H W"]:
    """What the network says, from several parts of the picture."""
    height, width = work.pixels.shape[:2]
    x, y = work.middle
    seen = [likely_person(work.pixels, (0.0, 0.0, width, height))]
    for reach, gamma in CROPS:
        away = reach * work.size
        room = BEYOND * reach * work.size
        left, top = max(x - away, min(-room, x)), max(y - away, min(-room, y))
        box = left, top, min(x + away, max(width + room, x)), min(y + away, max(height + room, y))
        seen.append(likely_person(work.pixels, box, gamma))
    stack = np.stack(seen)
    mean, least = np.nanmean(stack, axis=0), np.nanmin(stack, axis=0) + 0.1
    asked: Float[np.ndarray, "H W"] = np.where(_below(work), np.minimum(mean, least), mean)
    return ramp(asked, *CONTRAST)


def _below(work: Working) -> Bool[np.ndarray, "H 1"]:
    """Rows of the picture that are below the head."""
    rows = np.arange(len(work.pixels))[:, None] + 0.5
    return np.asarray(rows > work.middle[1] + 0.5 * work.size)


def _may_have_gaps(work: Working) -> Bool[np.ndarray, "H W"]:
    """Where what is behind may be seen between strands: beside the head and above it."""
    return ~work.head & ~_below(work)


def _by_colour(work: Working, found: Float[np.ndarray, "H W"]) -> Float[np.ndarray, "H W"]:
    """The matte, near its outline by which side a pixel's colour is more like.

    Both sides are normal distributions around each pixel, with a covariance of their own.
    """
    inside = found > 0.5
    away = np.where(inside, distance(inside), distance(~inside))
    band = away < BAND * work.size
    if not band.any() or inside.all() or not inside.any():
        return found
    chance = [
        _log_likelihood(work.pixels, single(side & ~band), NEAR * work.size, band)
        for side in (inside, ~inside)
    ]
    prior = blurred(found, 0.3 * BAND * work.size)[band].clip(LEAST, 1 - LEAST)
    score = np.log(prior / (1 - prior)) + 0.5 * np.clip(chance[0] - chance[1], -8, 8)
    found = found.copy()
    found[band] = 1 / (1 + np.exp(-score))
    return found


def _log_likelihood(
    pixels: Float[np.ndarray, "H W 3"],
    weight: Float[np.ndarray, "H W"],
    sigma: float,
    wanted: Bool[np.ndarray, "H W"],
) -> Float[np.ndarray, " N"]:
    """Of the colour of each wanted pixel among those with weight around it."""
    first, second = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)
    squares = pixels[..., first] * pixels[..., second]
    both = np.concatenate([np.ones_like(pixels[..., :1]), pixels, squares], -1) * weight[..., None]
    # Wide and narrow together, so that there is always something to compare with.
    near = (blurred(both, sigma) + 0.05 * blurred(both, 3 * sigma))[wanted].astype(np.float64)
    mean, square = np.split(near[:, 1:] / (near[:, :1] + 1e-9), [3], -1)
    a, b, c, d, e, f = (square - mean[:, first] * mean[:, second]).T
    a, d, f = a + SPREAD**2, d + SPREAD**2, f + SPREAD**2
    # The inverse of a symmetric matrix by its cofactors.
    cofactors = (
        d * f - e * e,
        c * e - b * f,
        b * e - c * d,
        a * f - c * c,
        b * c - a * e,
        a * d - b * b,
    )
    volume = np.maximum(a * cofactors[0] + b * cofactors[1] + c * cofactors[2], 1e-12)
    off = pixels[wanted] - mean
    twice = np.array([1, 2, 2, 1, 2, 1])
    distances = (off[:, first] * off[:, second] * np.stack(cofactors, -1)) @ twice / volume
    value: Float[np.ndarray, " N"] = -distances - np.log(volume)
    return value


def _joined(
    matte: Float[np.ndarray, "H W"], head: Bool[np.ndarray, "H W"]
) -> Float[np.ndarray, "H W"]:
    """What hangs together with the head."""
    parts, _ = label(matte > 0.3)
    kept = np.isin(parts, np.unique(parts[head & (parts > 0)]))
    return np.where(binary_dilation(kept, iterations=4), matte, 0.0) if head.any() else matte


def _filled(
    matte: Float[np.ndarray, "H W"], gaps: Bool[np.ndarray, "H W"]
) -> Float[np.ndarray, "H W"]:
    """Without small holes where they are freckles of the picture and not gaps."""
    holes, count = label(matte < 0.5)
    if not count:
        return matte
    sizes = np.bincount(holes.ravel())
    small = (sizes < 0.0015 * matte.size)[holes] & (holes > 0)
    return np.where(small & ~gaps, 1.0, matte)


def _bounds(camera: Camera, vertices: Float[Tensor, "V 3"]) -> tuple[float, float, float, float]:
    screen = camera.project(vertices)[:, :2]
    (left, top), (right, bottom) = screen.amin(0).tolist(), screen.amax(0).tolist()
    return left, top, right, bottom
