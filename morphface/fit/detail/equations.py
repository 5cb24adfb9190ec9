"""What one photo says of the heights of a grid: one linear equation for each texel.

The colour of a surface is albedo times light, E(n). Relief h tilts the normal n by -grad h, so that
the logarithm of the colour changes by -(dE/dn . grad h) / E in each channel (Horn 1970, linear in
h). What else changes it are pigments in known tints and mottle, noise of each channel: the channels
are mixed so that these disturb least (generalised least squares).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import ramp
from morphface.core.records import Record
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.detail.settings import DetailSettings
from morphface.geometry.spherical_harmonics import irradiance, sh_derivative
from morphface.render.blur import blurred

__all__ = ["Rows", "channel_mix", "high_band", "like_skin", "rows_of"]

FLOOR = 0.15
"""Irradiance, as a share of its median, below which nothing is divided by it."""
DARKEST = 0.02
"""Added to colours before logarithms: differences far below it are noise."""
MOST = 0.5
"""Logarithms beyond this are no relief."""
AROUND = 6.0
"""Wavelength in millimetres of what is compared with skin."""
UNLIKE = 0.6, 0.9
"""Logarithms of colours beside the usual skin: skin below the first, none from the second."""
TINT = 1.5
"""How much more a difference of tint counts there than one of brightness."""
MELANIN = (0.45, 0.75, 1.0)
BLOOD = (0.15, 1.0, 0.85)
"""Logarithms of colours that pigments change, the largest 1 (`assets/open_head/pigments.py`)."""
HALF = 0.187
"""Standard deviation of a Gaussian that leaves half of a wave, over its length."""


@dataclass(frozen=True, eq=False)
class Rows(Record):
    """Equations at n texels: `told = slopes . (height along columns, along rows, height)`.

    Args:
        told: logarithm of the light, beside what is around.
        slopes: coefficients.
        weight: how far each texel counts.
    """

    told: Float[Tensor, " n"]
    slopes: Float[Tensor, "n 3"]
    weight: Float[Tensor, " n"]


def rows_of(
    grid: Grid,
    ground: Ground,
    seen: tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]],
    light: Float[Tensor, "9 3"],
    *,
    settings: DetailSettings,
    wavelength: float,
) -> Rows:
    """The equations of one photo.

    Args:
        grid: of texels.
        ground: the surface in the camera frame.
        seen: colours at the texels without the photo's gain, and how far these are trusted.
        light: coefficients, in the camera frame.
        settings: what disturbs.
        wavelength: millimetres above which nothing is told.
    """
    trust = seen[1]
    paint, amount = _paint(ground, seen, light)
    mix = channel_mix(settings)
    told = high_band(grid, paint @ mix[:, None], trust, wavelength / ground.pitch)
    told = told - high_band(grid, told, trust, settings.finest / ground.pitch)
    share = settings.response * mix / amount
    parts = zip(_tilts(ground.normals, light), share.unbind(1), strict=True)
    tilt = torch.stack([part * own[:, None] for part, own in parts]).sum(0)
    along = -(ground.inverse @ tilt[..., None])[..., 0]
    groove = torch.full_like(along[:, :1], settings.groove)
    slopes = torch.cat([along, groove], dim=-1)
    return Rows(told[:, 0].clamp(-MOST, MOST), slopes, trust)


def _paint(
    ground: Ground, seen: tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]], light: Tensor
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """Logarithm of the colours over the light that the mesh gets, and this light."""
    colour, trust = seen
    amount, near = irradiance(light, ground.normals), trust >= 0.5 * trust.max()
    amount = amount.maximum(FLOOR * amount[near].median(dim=0).values.clamp(min=1e-3))
    return (colour.clamp(min=0) + DARKEST).log() - amount.log(), amount


def like_skin(
    grid: Grid,
    ground: Ground,
    seen: tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]],
    light: Float[Tensor, "9 3"],
) -> Float[Tensor, " n"]:
    """How likely a photo shows skin, 0 to 1: no hair, rims of glasses, cast shadow or shine.

    Args:
        grid: of texels.
        ground: the surface in the camera frame.
        seen: colours at the texels without the photo's gain, and how far these are trusted.
        light: coefficients, in the camera frame.
    """
    paint, trust = _paint(ground, seen, light)[0], seen[1]
    near = trust >= 0.5 * trust.max()
    paint = paint - paint[near].median(dim=0).values
    mean = paint - high_band(grid, paint, trust, AROUND / ground.pitch)
    bright = mean.mean(-1)
    tint = (mean - bright[:, None]).abs().mean(-1)
    return 1 - ramp(bright.abs() + TINT * tint, *UNLIKE)


def _tilts(normals: Float[Tensor, "n 3"], light: Float[Tensor, "9 3"]) -> list[Tensor]:
    """How the light of each channel changes with the normal: affine in it."""
    axes = torch.cat([torch.zeros(1, 3), torch.eye(3)]).to(normals)
    corners = torch.einsum("ajk,jc->cak", sh_derivative(axes), light.to(normals))
    return [corner[0] + normals @ (corner[1:] - corner[:1]) for corner in corners]


def channel_mix(settings: DetailSettings) -> Float[Tensor, "3"]:
    """What of each channel tells light best, beside pigments and mottle; sums to 1."""
    melanin, blood = torch.tensor(MELANIN) * settings.melanin, torch.tensor(BLOOD) * settings.blood
    mottle = settings.mottle**2 * torch.eye(3)
    spread = mottle + melanin[:, None] * melanin + blood[:, None] * blood
    mix = torch.linalg.solve(spread, torch.ones(3))
    return mix / mix.sum()


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
