"""Wrinkles are lines, pores, freckles and stubble are not.

What is fine and drawn out along one direction is kept, by the coherence of the structure tensor
(Jaehne 1993; Weickert 1999): the difference of its eigenvalues over their sum.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.fit.detail.bands import high_band
from morphface.fit.detail.grid import Grid
from morphface.render.blur import blurred

__all__ = ["coherence", "drawn_out"]

FINE = 8.0
"""Wavelength in millimetres of which half is asked whether it is a line."""
ALONG = 2.5
"""Standard deviation in millimetres of the neighbourhood whose directions are compared."""
LINES = 0.35, 0.7
"""Coherence: no line below the first, one from the second; chosen on photos of old and young."""
EVEN = 1e-6
"""Added to squared differences of logarithms: there is no direction in what is even."""
MOST = 0.3
"""Logarithms beyond this are as this: hairs are not to outshout the skin beside them."""


def drawn_out(
    grid: Grid, told: Float[Tensor, "n 1"], trust: Float[Tensor, " n"], pitch: float
) -> tuple[Float[Tensor, "n 1"], Float[Tensor, " n"]]:
    """Logarithms of light without what is fine and no line; and how likely a texel is in a line.

    Args:
        grid: of texels.
        told: logarithms at its texels.
        trust: in them.
        pitch: millimetres between texels.
    """
    fine = high_band(grid, told, trust, FINE / pitch)
    picture = grid.spread(fine[:, 0].clamp(-MOST, MOST) * trust)
    line = ramp(coherence(picture, ALONG / pitch)[grid.mask], *LINES)
    return told - (1 - line)[:, None] * fine, line


def coherence(picture: Float[Tensor, "R C"], width: float) -> Float[Tensor, "R C"]:
    """How much alike the directions of slopes are around each pixel, 0 to 1.

    Args:
        picture: whose slopes.
        width: standard deviation of the neighbourhood, in pixels.
    """
    along, down = torch.zeros_like(picture), torch.zeros_like(picture)
    along[:, 1:-1] = picture[:, 2:] - picture[:, :-2]
    down[1:-1] = picture[2:] - picture[:-2]
    products = torch.stack([along * along, along * down, down * down])
    xx, xy, yy = blurred(products, width, step=max(1, int(width / 2)))
    apart = ((xx - yy).square() + 4 * xy.square()).sqrt()
    return apart / (xx + yy + EVEN)
