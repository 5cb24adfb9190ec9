"""Where other people's heads are in a picture, as far as a detector of faces sees them."""

import numpy as np
import torch
from jaxtyping import Bool, Float

from morphface.landmarks import YuNetDetector
from morphface.media import Photo
from morphface.segment.network import likely_person

__all__ = ["nearer_to", "other_heads"]

SURE = 0.7
"""Confidence from which something is somebody's face: what is none would be cut out of a person."""
AGREED = 0.5
"""Likelihood of a person in the middle of that face from which it is one."""
HEAD = (0.25, 0.45, 0.25, 0.15)
"""How far a head goes beyond the box of its face, left, up, right and down, in sizes of the box."""


def other_heads(
    pixels: Float[np.ndarray, "H W 3"], head: Bool[np.ndarray, "H W"]
) -> Float[np.ndarray, "N 4"]:
    """Left, top, right and bottom of the heads of all but one person.

    Args:
        pixels: RGB in [0, 1].
        head: where the head of that person is seen.
    """
    height, width = head.shape
    found = YuNetDetector(threshold=SURE).detect(Photo(torch.from_numpy(pixels)))
    others = []
    for face in found:
        x, y = face.points.mean(0).tolist()
        inside = 0 <= x < width and 0 <= y < height
        if inside and head[int(y), int(x)]:
            continue
        others.append(face.box)
    if not others:
        return np.empty((0, 4))
    likely = likely_person(pixels, (0.0, 0.0, float(width), float(height)))
    boxes = np.array([box for box in others if _is_person(likely, box)], float).reshape(-1, 4)
    beyond = boxes[:, 2:] - boxes[:, :2]
    return np.hstack([boxes[:, :2] - beyond * HEAD[:2], boxes[:, 2:] + beyond * HEAD[2:]])


def _is_person(likely: Float[np.ndarray, "H W"], box: tuple[float, float, float, float]) -> bool:
    """Whether the network of mattes agrees: what only looks like a face shows no person."""
    left, top, right, bottom = (round(end) for end in box)
    part = likely[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    return bool(part.size and np.median(part) > AGREED)


def nearer_to(
    box: Float[np.ndarray, "4"], head: Bool[np.ndarray, "H W"], middle: tuple[float, float]
) -> Bool[np.ndarray, "H W"]:
    """What is nearer to another head than to one, in sizes of each.

    Args:
        box: of the other head.
        head: where the one is seen.
        middle: of it, x and y.
    """
    y, x = np.mgrid[: head.shape[0], : head.shape[1]] + 0.5
    left, top, right, bottom = box
    other = np.hypot(
        (x - (left + right) / 2) / (right - left), (y - (top + bottom) / 2) / (bottom - top)
    )
    ys, xs = np.nonzero(head)
    across, down = (np.ptp(xs) + 2, np.ptp(ys) + 2) if len(xs) else (2.0, 2.0)
    own = np.hypot((x - middle[0]) / across, (y - middle[1]) / down)
    nearer: Bool[np.ndarray, "H W"] = (other < own) & ~head
    return nearer
