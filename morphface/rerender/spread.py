"""Values of landmarks, continued smoothly to the pixels around them."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.render.warp import centres, enlarged

__all__ = ["spread"]

STIFF = 1e-3
"""How far landmarks may be missed, so that what is between them stays smooth."""
NODES = 20, 28
"""Rows and columns of the net on which values are worked out."""


def spread(
    points: Float[Tensor, "A 2"],
    values: Float[Tensor, "A C"],
    here: Float[Tensor, "h w 2"],
    unit: float,
) -> Float[Tensor, "h w C"]:
    """Values at pixels by radial basis functions, -r, which nothing can make oscillate.

    Args:
        points: where values are known, in pixels.
        values: at these points.
        here: the pixels of a box.
        unit: length by which points are divided, so that stiffness means the same in any photo.
    """
    rows, columns = here.shape[:2]
    if not bool(values.any()):
        return values.new_zeros(rows, columns, values.shape[1])
    spacing = values.new_tensor([columns / NODES[1], rows / NODES[0]])
    nodes = centres(*NODES, values).flatten(0, 1) * spacing + here[0, 0] - 0.5
    known, wanted = (each.double().numpy() / unit for each in (points, nodes))
    found = _radial(known, values.double().numpy(), wanted)
    return enlarged(torch.from_numpy(found).to(values).reshape(*NODES, -1), (rows, columns))


def _radial(
    known: Float[np.ndarray, "A 2"],
    values: Float[np.ndarray, "A C"],
    wanted: Float[np.ndarray, "N 2"],
) -> Float[np.ndarray, "N C"]:
    """The smoothing spline of kernel -r and a constant (Wahba 1990, section 2.4)."""
    count = len(known)
    system = np.ones((count + 1, count + 1))
    system[:count, :count] = STIFF * np.eye(count) - _lengths(known, known)
    system[count, count] = 0.0
    both = np.linalg.solve(system, np.concatenate([values, np.zeros((1, values.shape[1]))]))
    found: Float[np.ndarray, "N C"] = both[count] - _lengths(wanted, known) @ both[:count]
    return found


def _lengths(a: Float[np.ndarray, "A 2"], b: Float[np.ndarray, "B 2"]) -> Float[np.ndarray, "A B"]:
    found: Float[np.ndarray, "A B"] = np.hypot(*(a[:, None] - b).transpose(2, 0, 1))
    return found
