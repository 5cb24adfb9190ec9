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
from morphface.fit.detail.bands import high_band
from morphface.fit.detail.grid import Grid, Ground
from morphface.fit.detail.lines import drawn_out
from morphface.fit.detail.settings import DetailSettings
from morphface.geometry.spherical_harmonics import irradiance, sh_derivative

__all__ = ["DARKEST", "Rows", "Shown", "channel_mix", "like_skin", "rows_of"]

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
TINT = 2.5
"""How much more a difference of tint counts there than one of brightness."""
MELANIN = (0.45, 0.75, 1.0)
BLOOD = (0.15, 1.0, 0.85)
"""Logarithms of colours that pigments change, the largest 1 (`assets/open_head/pigments.py`)."""


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


@dataclass(frozen=True, eq=False)
class Shown(Record):
    """What a photo shows at the n texels of a grid.

    Args:
        ground: the surface in the camera frame.
        colour: without the photo's gain, encoded or an amount of light.
        trust: in the colours.
        light: coefficients, in the camera frame, of the same kind as the colours.
    """

    ground: Ground
    colour: Float[Tensor, "n 3"]
    trust: Float[Tensor, " n"]
    light: Float[Tensor, "9 3"]


def rows_of(grid: Grid, shown: Shown, settings: DetailSettings, *, lines: bool) -> Rows:
    """The equations of one photo.

    Args:
        grid: of texels.
        shown: what the photo shows there.
        settings: what disturbs, and which wavelengths are told.
        lines: of what is fine, tell only lines, and that only they are deep where it is dark, for
            there is nothing else to know paint by.
    """
    ground, trust, pitch = shown.ground, shown.trust, shown.ground.pitch
    paint, amount = _paint(shown)
    mix = channel_mix(settings)
    told = high_band(grid, paint @ mix[:, None], trust, settings.coarsest / pitch)
    told = told - high_band(grid, told, trust, settings.finest / pitch)
    line = torch.ones_like(trust)
    if lines:
        told, line = drawn_out(grid, told, trust, pitch)
    share = settings.response * mix / amount
    parts = zip(_tilts(ground.normals, shown.light), share.unbind(1), strict=True)
    tilt = torch.stack([part * own[:, None] for part, own in parts]).sum(0)
    along = -(ground.inverse @ tilt[..., None])[..., 0]
    slopes = torch.cat([along, settings.groove * line[:, None]], dim=-1)
    return Rows(told[:, 0].clamp(-MOST, MOST), slopes, trust)


def _paint(shown: Shown) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """Logarithm of the colours over the light that the mesh gets, and this light."""
    trust = shown.trust
    amount, near = irradiance(shown.light, shown.ground.normals), trust >= 0.5 * trust.max()
    amount = amount.maximum(FLOOR * amount[near].median(dim=0).values.clamp(min=1e-3))
    return (shown.colour.clamp(min=0) + DARKEST).log() - amount.log(), amount


def like_skin(grid: Grid, shown: Shown) -> Float[Tensor, " n"]:
    """How likely a photo shows skin, 0 to 1: no hair, rims of glasses, cast shadow or shine.

    Args:
        grid: of texels.
        shown: what the photo shows there, encoded.
    """
    paint, trust = _paint(shown)[0], shown.trust
    near = trust >= 0.5 * trust.max()
    paint = paint - paint[near].median(dim=0).values
    mean = paint - high_band(grid, paint, trust, AROUND / shown.ground.pitch)
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
