"""Heights that bring photos from several sides to agree: the wide waves of relief.

Each texel is tried at heights over the mesh, one after the other (plane sweep, Collins 1996), and
photos are compared by the normalised correlation of their skin in a window, pair by pair. What one
height alone explains counts; a smooth surface through all of it is found by the equations that
shading has. Photos from one side tell nothing, and are not believed.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.fit.detail.equations import Rows
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.detail.settings import DetailSettings
from morphface.fit.detail.solve import heights_of
from morphface.fit.detail.views import PhotoOnSurface
from morphface.render.blur import blurred

__all__ = ["SWEEPS", "agreed_heights", "swept"]

SWEEPS = (8.0, 1.0, 5.0), (4.0, 0.5, 3.0)
"""Heights that are tried around those before, their distance, and the standard deviation of the
window, in millimetres; measured."""
BAND = 1.5, 8.0
"""Wavelengths in millimetres that are compared."""
AGREE = 0.15, 0.45
"""Correlation at the best height: not believed below the first, wholly from the second."""
ALONE, AHEAD = 1.5, 0.15
"""How far it must be ahead of heights so many millimetres away, to be believed wholly."""
PAIRS = 0.5
"""Of trusted photos around a texel that are needed."""
ACROSS = 0.05, 0.15
"""How far photos slide against each other for a height of as much: heights are not believed below
the first, wholly from the second, which a turn by 9 degrees makes."""
NOISE = 1e-5
"""Added to squared logarithms, so that what is even agrees with nothing."""
SURFACE = DetailSettings(coarsest=200.0, slope=0.5, mottle=1.5, albedo=1.5e-3, groove=0.0, rounds=4)
"""Of the surface through the heights: `mottle` is how far they are off, in millimetres."""


def agreed_heights(
    grid: Grid,
    rest: Ground,
    views: Sequence[PhotoOnSurface],
    begun: Float[Tensor, " n"],
    sweep: tuple[float, float, float],
) -> Float[np.ndarray, "r c"]:
    """Heights at the corners of a grid's texels, in millimetres.

    Args:
        grid: of texels, about a millimetre wide.
        rest: the surface in the pose that slopes are held in.
        views: the photos, trusted on bare skin alone.
        begun: heights of before.
        sweep: reach, step and window, as in `SWEEPS`.
    """
    told, sure = swept(grid, views, begun, sweep)
    flat = torch.zeros_like(told)
    rows = Rows(told, torch.stack([flat, flat, flat + 1], dim=-1), sure)
    return heights_of(grid, rest, [rows], SURFACE)


def swept(
    grid: Grid,
    views: Sequence[PhotoOnSurface],
    begun: Float[Tensor, " n"],
    sweep: tuple[float, float, float],
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """The height at which photos agree best, texel by texel, and how far it may be believed."""
    reach, step, window = sweep
    count = round(reach / step)
    tried = step * torch.arange(-count, count + 1)
    scores = _scores(grid, views, [begun + height for height in tried], window)
    best, at = scores.max(dim=0)
    inner = at.clamp(1, len(tried) - 2)
    below, middle, above = (scores.gather(0, (inner + k)[None])[0] for k in (-1, 0, 1))
    bend = (below - 2 * middle + above).clamp(max=-1e-4)
    between = (0.5 * (below - above) / bend).clamp(-0.5, 0.5)
    elsewhere = (tried[:, None] - tried[at][None]).abs() > ALONE
    rival = scores.where(elsewhere, torch.full_like(scores, -1.0)).amax(0)
    sure = ramp(best, *AGREE) * ramp(best - rival, 0.0, AHEAD) * (at == inner)
    sure = sure * ramp(_parallax(views), *ACROSS)
    return begun + tried[inner] + step * between, sure


def _parallax(views: Sequence[PhotoOnSurface]) -> Float[Tensor, " n"]:
    """How far photos slide against each other by a height, over it: root mean square."""
    trusts = torch.stack([view.trust for view in views])
    share = (trusts / trusts.sum(0).clamp(min=1e-3))[..., None]
    steps = torch.stack([_steps(view) for view in views])
    away = (steps - (share * steps).sum(0)).square() * share
    return away.sum((0, 2)).sqrt()


def _steps(view: PhotoOnSurface) -> Float[Tensor, "n 2"]:
    """Along columns and rows, in millimetres, for each of height."""
    ground = view.ground
    along = view.slide() @ ground.normals[..., None]
    return (ground.inverse @ along)[..., 0] * ground.pitch


def _scores(
    grid: Grid,
    views: Sequence[PhotoOnSurface],
    heights: Sequence[Float[Tensor, " n"]],
    window: float,
) -> Float[Tensor, "k n"]:
    """Correlation of pairs of photos in windows, for each of the heights; -1 without pairs."""
    pitch = views[0].ground.pitch
    trusts = torch.stack([view.trust for view in views])
    total = trusts.sum(0)
    pictures = [view.banded(*BAND) for view in views]

    def around(values: Tensor) -> Tensor:
        width = window / pitch
        plane = blurred(grid.spread(values)[None], width, step=max(1, int(width / 2)))
        return plane[0][grid.mask]

    enough = around(total.square() - trusts.square().sum(0)) > PAIRS
    out = []
    for height in heights:
        pairs = zip(views, pictures, strict=True)
        shown = torch.stack([view.shown_in(picture, height)[:, 0] for view, picture in pairs])
        weighted = shown * trusts
        alike = weighted.sum(0).square() - weighted.square().sum(0)
        power = total * (weighted * shown).sum(0) - weighted.square().sum(0)
        score = around(alike) / (around(power) + NOISE)
        out.append(score.where(enough, torch.full_like(score, -1.0)))
    return torch.stack(out)
