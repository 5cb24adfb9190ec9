"""Values of landmarks, continued smoothly to the pixels around them."""

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
    from scipy.interpolate import RBFInterpolator  # here: it brings scipy.optimize

    rows, columns = here.shape[:2]
    if not bool(values.any()):
        return values.new_zeros(rows, columns, values.shape[1])
    spacing = values.new_tensor([columns / NODES[1], rows / NODES[0]])
    nodes = centres(*NODES, values).flatten(0, 1) * spacing + here[0, 0] - 0.5
    known, wanted = (each.double().numpy() / unit for each in (points, nodes))
    spline = RBFInterpolator(known, values.double().numpy(), smoothing=STIFF, kernel="linear")
    found = torch.from_numpy(spline(wanted)).to(values).reshape(*NODES, -1)
    return enlarged(found, (rows, columns))
