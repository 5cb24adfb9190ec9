"""Parts of a picture on a grid by their wavelength."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.detail.grid import Grid
from morphface.render.blur import blurred

__all__ = ["HALF", "high_band"]

HALF = 0.187
"""Standard deviation of a Gaussian that leaves half of a wave, over its length."""


def high_band(
    grid: Grid, values: Float[Tensor, "n C"], trust: Float[Tensor, " n"], wavelength: float
) -> Float[Tensor, "n C"]:
    """What differs from the trusted mean around, a Gaussian.

    Args:
        grid: of texels.
        values: there.
        trust: in them.
        wavelength: of which half is left, in texels.
    """
    trust = trust + 1e-3  # so that there is a mean everywhere
    rows = torch.cat([values * trust[:, None], trust[:, None]], dim=-1)
    width = HALF * wavelength
    wide = blurred(grid.spread(rows).permute(2, 0, 1), width, step=max(1, int(width / 2)))
    around = wide.permute(1, 2, 0)[grid.mask]
    return values - around[:, :-1] / around[:, -1:].clamp(min=1e-6)
