"""A volume of values of which only what lies near a surface is asked for.

Nodes of a coarse grid first; cells whose corners are all on one side, as those of their neighbours,
are filled by what is between their corners, and all others are halved (PIFuHD, section 4).
"""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.errors import ParameterError

__all__ = ["CHUNK", "LEVEL", "occupancy"]

LEVEL = 0.5
"""What is inside has more."""
CHUNK = 10_000
"""Points that are asked for at a time: a level of 1,024 channels then takes 40 MB."""

Ask = Callable[[Float[Tensor, "N 3"]], Float[Tensor, " N"]]
"""How likely points are inside, 0 to 1."""


def occupancy(
    ask: Ask,
    low: Float[Tensor, "3"],
    high: Float[Tensor, "3"],
    resolution: int = 128,
    *,
    coarse: int = 32,
) -> Float[np.ndarray, "X Y Z"]:
    """Values at the nodes of a grid, `resolution` + 1 along each axis.

    Args:
        ask: is given points, at most `CHUNK` at a time.
        low: one corner of the box.
        high: the opposite corner.
        resolution: cells along each axis; `coarse` times a power of two.
        coarse: cells along each axis at first; what is smaller than one of them may be missed, and
            as many as `resolution` ask for all nodes.

    Raises:
        ParameterError: the resolution is none of those.
    """
    times = resolution / max(coarse, 1)
    if coarse < 1 or times < 1 or times != int(times) or int(times) & (int(times) - 1):
        raise ParameterError(
            f"resolution must be coarse ({coarse}) times a power of two, got {resolution}"
        )
    low, high = low.double().cpu(), high.double().cpu()
    values = np.zeros((coarse + 1,) * 3, np.float32)
    _fill(values, np.ones_like(values, bool), ask, (low, high))
    while len(values) <= resolution:
        wanted = _beside_known(_crossed(values))
        values = _halved(values)
        _fill(values, wanted, ask, (low, high))
    return values


def _fill(
    values: Float[np.ndarray, "X Y Z"],
    wanted: Bool[np.ndarray, "X Y Z"],
    ask: Ask,
    box: tuple[Tensor, Tensor],
) -> None:
    """Ask for the values of some nodes."""
    flat, (low, high) = np.flatnonzero(wanted), box
    for start in range(0, len(flat), CHUNK):
        some = flat[start : start + CHUNK]
        nodes = np.stack(np.unravel_index(some, values.shape), -1) / (len(values) - 1)
        points = low + (high - low) * torch.from_numpy(nodes)
        values.ravel()[some] = ask(points.float()).detach().cpu().numpy()


def _crossed(values: Float[np.ndarray, "X Y Z"]) -> Bool[np.ndarray, "x y z"]:
    """Cells that have corners on both sides, and all cells beside them."""
    from scipy.ndimage import binary_dilation

    inside = values > LEVEL
    some, every = inside, inside
    for axis in range(3):
        first = tuple(slice(None, -1) if k == axis else slice(None) for k in range(3))
        last = tuple(slice(1, None) if k == axis else slice(None) for k in range(3))
        some, every = some[first] | some[last], every[first] & every[last]
    found: Bool[np.ndarray, "x y z"] = binary_dilation(some & ~every, np.ones((3, 3, 3), bool))
    return found


def _beside_known(cells: Bool[np.ndarray, "x y z"]) -> Bool[np.ndarray, "X Y Z"]:
    """Nodes of the grid of half the step that those cells have, without those known before."""
    side = 2 * len(cells) + 1
    wanted = np.zeros((side,) * 3, bool)
    for step in np.ndindex(3, 3, 3):
        where = tuple(slice(k, k + side - 2, 2) for k in step)
        wanted[where] |= cells
    wanted[::2, ::2, ::2] = False
    return wanted


def _halved(values: Float[np.ndarray, "x y z"]) -> Float[np.ndarray, "X Y Z"]:
    """Values at half the step, between those that are known."""
    for axis in range(3):
        values = np.moveaxis(values, axis, 0)
        finer = np.empty((2 * len(values) - 1, *values.shape[1:]), np.float32)
        finer[::2], finer[1::2] = values, (values[:-1] + values[1:]) / 2
        values = np.moveaxis(finer, 0, axis)
    return np.ascontiguousarray(values)
