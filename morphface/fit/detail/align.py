"""Poses of one head in several photos anew, so that all show the same skin at the same texel.

A fit of landmarks and smooth colours leaves photos of one person millimetres apart on the skin.
Here each photo is moved rigidly towards what the others show, band by band from wide to fine, by
Gauss-Newton steps on differences of brightness (Lucas and Kanade 1981), and heights are told by
parallax in between.
"""

from collections.abc import Sequence

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.detail.grid import Grid
from morphface.fit.detail.views import PhotoOnSurface

__all__ = ["brought_together", "slopes_of"]

WIDE = ((8.0, 40.0), (6.0, 24.0), (4.0, 14.0))
"""Wavelengths in millimetres that are compared one after the other."""
FINE = ((4.0, 18.0), (3.0, 12.0))
"""The same where photos nearly fit."""
STEPS = 4
"""Of Gauss and Newton in each band."""
AWAY = 0.1
"""Difference of logarithms at which a texel counts half."""
RADIUS = 60.0
"""Millimetres from the middle of a head where a turn moves points as far as a shift does."""
RIDGE = 1e-3
"""Of the mean of the equations' diagonal, that holds what no photo tells."""
OTHERS = 0.1
"""Trust in the other photos that is needed at least."""


def brought_together(
    grid: Grid,
    views: Sequence[PhotoOnSurface],
    heights: Float[Tensor, " n"],
    bands: Sequence[tuple[float, float]] = WIDE,
) -> list[PhotoOnSurface]:
    """The photos with their poses told anew.

    Args:
        grid: of texels.
        views: the photos, trusted on bare skin alone.
        heights: over the surface, in millimetres.
        bands: of wavelengths in millimetres.
    """
    told = list(views)
    for finest, coarsest in bands:
        for _ in range(STEPS):
            told = _stepped(grid, told, heights, (finest, coarsest))
    return told


def _stepped(
    grid: Grid,
    views: Sequence[PhotoOnSurface],
    heights: Float[Tensor, " n"],
    band: tuple[float, float],
) -> list[PhotoOnSurface]:
    shown = [view.band(*band, heights) for view in views]
    trusts = [view.trust for view in views]
    total = torch.stack(trusts).sum(0)
    both = torch.stack([v * w for v, w in zip(shown, trusts, strict=True)]).sum(0)
    around = slopes_of(grid, both / total.clamp(min=1e-3))
    out = []
    for view, own, trust in zip(views, shown, trusts, strict=True):
        left = total - trust
        away = (both - own * trust) / left.clamp(min=OTHERS) - own
        weight = trust * left.clamp(0, 1) * (left > OTHERS) / (1 + (away / AWAY).square())
        slopes = (slopes_of(grid, own) + around) / 2
        out.append(_moved(view, slopes, away, weight))
    return out


def _moved(
    view: PhotoOnSurface,
    slopes: Float[Tensor, "n 2"],
    away: Float[Tensor, " n"],
    weight: Float[Tensor, " n"],
) -> PhotoOnSurface:
    """By the rigid motion that explains most of a difference."""
    ground = view.ground
    gradient = (ground.inverse.mT @ slopes[..., None])[..., 0]
    shift = (gradient[:, None] @ view.slide())[:, 0]
    middle = ground.points.mean(0)
    turn = torch.linalg.cross(ground.points - middle, shift) / RADIUS
    rows = torch.cat([turn, shift], dim=-1)
    left = (rows * weight[:, None]).mT @ rows
    left = left + (RIDGE * left.diagonal().mean() + 1e-6) * torch.eye(6)
    step = torch.linalg.solve(left, rows.mT @ (weight * away))
    rotation = roma.rotvec_to_rotmat(step[:3] / RADIUS)
    return view.moved(rotation, middle - rotation @ middle + step[3:])


def slopes_of(grid: Grid, values: Float[Tensor, " n"]) -> Float[Tensor, "n 2"]:
    """Central differences along columns and rows; zero where a neighbour is missing."""
    picture, mask = grid.spread(values), grid.mask
    out = picture.new_zeros(*picture.shape, 2)
    beside, above = mask[:, 2:] & mask[:, :-2], mask[2:] & mask[:-2]
    out[:, 1:-1, 0] = (picture[:, 2:] - picture[:, :-2]) / 2 * beside
    out[1:-1, :, 1] = (picture[2:] - picture[:-2]) / 2 * above
    return out[mask]
