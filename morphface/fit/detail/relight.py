"""Lights of several photos of one person anew, from the albedo that all of them show.

A fit explains encoded colours with a smooth albedo of few numbers; what that lacks bends its light.
Here colours are amounts of light, and albedo has a value at each texel: albedo and lights are found
in turns, each by weighted least squares of relative differences, what fits none counting little.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.colour import srgb_to_linear
from morphface.fit.detail.equations import DARKEST, Shown
from morphface.fit.detail.settings import ENCODED
from morphface.geometry.spherical_harmonics import AMBIENT, irradiance, sh_basis

__all__ = ["relit"]

TURNS, REWEIGHTED = 6, 2
RIDGE = 1e-3
SAMPLE = 20_000
"""Texels that lights are told from."""
LEAST, DARK = 0.03, 0.1
"""Irradiance that nothing is divided by less than; over its mean, below which no albedo is told."""
AWAY = 0.15
"""Logarithm of a colour beside the others' at which it counts half."""


def relit(shots: Sequence[Shown]) -> list[Shown]:
    """The same photos with amounts of light, and light that fits these.

    Args:
        shots: encoded, at the texels of one grid.
    """
    linear = [replace(one, colour=srgb_to_linear(one.colour.clamp(0, 1))) for one in shots]
    step = max(1, len(shots[0].trust) // SAMPLE)
    bases = [sh_basis(one.ground.normals[::step]) for one in shots]
    colours = [one.colour[::step] + DARKEST for one in linear]
    trusts = [one.trust[::step] for one in shots]
    encoded = [irradiance(one.light, one.ground.normals[::step]).clamp(min=LEAST) for one in shots]
    begun = torch.ones_like(colours[0])
    lights = _lights(bases, [e**ENCODED for e in encoded], begun, trusts)
    for _ in range(TURNS):
        albedo, weights = _albedo(bases, colours, trusts, lights)
        lights = _lights(bases, colours, albedo, weights)
    return [
        replace(one, light=light - AMBIENT * (torch.arange(9) == 0)[:, None])
        for one, light in zip(linear, lights, strict=True)
    ]


def _albedo(
    bases: Sequence[Tensor],
    colours: Sequence[Tensor],
    trusts: Sequence[Tensor],
    lights: Sequence[Tensor],
) -> tuple[Float[Tensor, "m 3"], list[Tensor]]:
    """The albedo that photos agree on, and how far each texel of each counts."""
    amounts = [(basis @ light).clamp(min=LEAST) for basis, light in zip(bases, lights, strict=True)]
    told = [(c / amount).log() for c, amount in zip(colours, amounts, strict=True)]
    levels = [amount.mean(-1) for amount in amounts]
    begun = [
        t * (e > DARK * (t * e).sum() / (t.sum() + 1e-6))
        for t, e in zip(trusts, levels, strict=True)
    ]
    weights, mean = begun, told[0]
    for _ in range(REWEIGHTED):
        total = torch.stack(weights).sum(0).clamp(min=1e-3)
        mean = torch.stack([t * w[:, None] for t, w in zip(told, weights, strict=True)]).sum(0)
        mean = mean / total[:, None]
        away = [((one - mean).mean(-1) / AWAY).square() for one in told]
        weights = [w / (1 + a) for w, a in zip(weights, away, strict=True)]
    return mean.exp(), weights


def _lights(
    bases: Sequence[Tensor],
    colours: Sequence[Tensor],
    albedo: Float[Tensor, "m 3"],
    weights: Sequence[Tensor],
) -> list[Tensor]:
    """Light of each photo, channel by channel, by relative differences."""
    out = []
    for basis, colour, weight in zip(bases, colours, weights, strict=True):
        rows = basis[:, None] * (albedo / colour)[..., None]
        each = rows * weight[:, None, None]
        left, right = torch.einsum("mcj,mck->cjk", each, rows), each.sum(0)
        held = (RIDGE * left.diagonal(dim1=1, dim2=2).mean(1) + 1e-6)[:, None, None] * torch.eye(9)
        out.append(torch.linalg.solve(left + held, right[..., None])[..., 0].mT)
    return out
