"""What a perfect network would say of known faces: maps of parts, and fields along limbs.

Cao et al. 2019, "OpenPose", equations 6 to 9. Maps have a cell for every `stride` pixels; the
centre of cell (0, 0) lies at half a stride.
"""

import numpy as np
from jaxtyping import Bool, Float

from morphface.landmarks.parts.graph import FaceGraph

__all__ = ["REACH", "SPREAD", "affinity_fields", "confidence_maps"]

SPREAD = 1.0
"""Width of a part's bump in cells: it falls to 1 / e there."""
REACH = 1.0
"""How far from a limb its field reaches, in cells."""


def confidence_maps(
    points: Float[np.ndarray, "N P 2"],
    visible: Bool[np.ndarray, "N P"],
    shape: tuple[int, int],
    *,
    stride: int = 8,
    spread: float = SPREAD,
) -> Float[np.ndarray, "P H W"]:
    """For each part, how near each cell is to that part of anybody: 1 on it, equations 6 and 7.

    Args:
        points: of N faces, in pixels.
        visible: which of them count.
        shape: of the maps, in cells.
        stride: pixels for a cell.
        spread: distance in cells at which a bump has fallen to 1 / e.
    """
    if not len(points):
        return np.zeros((visible.shape[1], *shape), np.float32)
    x, y = _centres(shape, stride)
    width = (spread * stride) ** 2
    across = np.exp(-((points[..., :1] - x) ** 2) / width)
    down = np.exp(-((points[..., 1:] - y) ** 2) / width) * visible[..., None]
    return (down[..., :, None] * across[..., None, :]).max(axis=0).astype(np.float32)


def affinity_fields(
    points: Float[np.ndarray, "N P 2"],
    visible: Bool[np.ndarray, "N P"],
    graph: FaceGraph,
    shape: tuple[int, int],
    *,
    stride: int = 8,
    reach: float = REACH,
) -> Float[np.ndarray, "L 2 H W"]:
    """For each limb, its direction on all cells that it reaches, equations 8 and 9.

    A limb is there where both of its parts are visible. Where those of several people cross, their
    directions are averaged.

    Args:
        points: of N faces, in pixels.
        visible: which of them count.
        graph: whose limbs are meant.
        shape: of the fields, in cells.
        stride: pixels for a cell.
        reach: how far from a limb its field reaches, in cells.
    """
    total = np.zeros((len(graph.limbs), 2, *shape), np.float32)
    count = np.zeros((len(graph.limbs), *shape), np.float32)
    x, y = _centres(shape, stride)
    ends = np.array(graph.limbs)
    for person, seen in zip(points, visible, strict=True):
        start, along = person[ends[:, 0]], person[ends[:, 1]] - person[ends[:, 0]]
        length = np.linalg.norm(along, axis=-1)
        there = seen[ends].all(axis=-1) & (length > 0)
        unit = along[there] / length[there, None]
        near = _near(start[there], unit, length[there], (x, y), reach * stride)
        count[there] += near
        total[there] += unit[:, :, None, None] * near[:, None]
    return total / np.maximum(count, 1)[:, None]


def _near(
    start: Float[np.ndarray, "L 2"],
    unit: Float[np.ndarray, "L 2"],
    length: Float[np.ndarray, " L"],
    centres: tuple[Float[np.ndarray, " W"], Float[np.ndarray, " H"]],
    reach: float,
) -> Bool[np.ndarray, "L H W"]:
    """Which cells lie no farther from each segment."""
    x = centres[0][None, None, :] - start[:, 0, None, None]
    y = centres[1][None, :, None] - start[:, 1, None, None]
    u, v = unit[:, 0, None, None], unit[:, 1, None, None]
    beyond = x * u + y * v
    beyond = beyond - np.clip(beyond, 0, length[:, None, None])
    return beyond**2 + (y * u - x * v) ** 2 <= reach**2


def _centres(
    shape: tuple[int, int], stride: int
) -> tuple[Float[np.ndarray, " W"], Float[np.ndarray, " H"]]:
    return (np.arange(shape[1]) + 0.5) * stride, (np.arange(shape[0]) + 0.5) * stride
