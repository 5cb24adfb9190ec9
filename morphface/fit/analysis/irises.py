"""The colour of irises, which are too few pixels to be heard among those of the skin.

Once it is known where the eyes look, the pixels of the irises over the light that falls on them are
their colour. The coefficients of reflectance take it up where they say nothing of the skin.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.eyes import Glance, Parts, parts_seen
from morphface.fit.analysis.scene import Scene
from morphface.models import MorphableModel

__all__ = ["iris_colour", "with_irises"]

_PURE = 0.9  # share of a pixel that must be iris
_LEAST = 6  # pixels of both eyes that tell a colour
_NOISE = 0.12  # standard deviation of an independent observation: shine, lashes, shade of lids
_SURE = 0.03  # smallest standard deviation of the colour
_SKIN = 400.0  # independent colours of the skin that stay, each known to the noise above


def iris_colour(
    eyes: Sequence[Glance], parts: Parts, gaze: Float[Tensor, "2 2"]
) -> tuple[Float[Tensor, "3"], float] | None:
    """Albedo of the irises, and its precision; None where too little of them is seen.

    Args:
        eyes: what is seen of each.
        parts: of the model's eyes.
        gaze: where they look.
    """
    found, worth = [], 0.0
    for eye, angles in zip(eyes, gaze, strict=True):
        if not len(eye.worth):
            continue
        inside = parts_seen(eye, parts, angles)[1] > _PURE
        clear = inside & (eye.worth > 0.5 * eye.worth.max().clamp(min=1e-9))
        found.append(eye.seen[clear] / eye.white[clear])
        worth += float(eye.worth[clear].sum())
    colours = torch.cat([gaze.new_zeros(0, 3), *found])
    if len(colours) < _LEAST or not worth > 0:
        return None
    return colours.median(dim=0).values.clamp(0, 1), 1 / (_NOISE**2 / worth + _SURE**2)


def with_irises(
    model: MorphableModel,
    scene: Scene,
    reflectance: Float[Tensor, " A"],
    colour: tuple[Float[Tensor, "3"], float],
) -> Float[Tensor, " A"]:
    """The coefficients with the irises' colour, and the skin that they had.

    It is the mean of a Gaussian: N(0, I) about the coefficients, seen irises, and skin that stays.

    Args:
        model: whose irises.
        scene: whose skin.
        reflectance: as the skin has it.
        colour: of the irises, and its precision.
    """
    if model.reflectance is None or "iris" not in model.regions:
        return reflectance
    own = model.regions["iris"] > 0.5
    basis = model.reflectance.map(lambda values: values.to(reflectance))
    rows = basis.directions[:, own].mean(dim=1).T
    wanted, precision = colour
    short = wanted - (basis.mean[own].mean(dim=0) + rows @ reflectance)
    skin = scene.surface.own_skin
    flat = (scene.surface.colours * (skin / skin.sum()).sqrt()[:, None, None]).flatten(0, 1)
    system = precision * rows.T @ rows + _SKIN / _NOISE**2 * flat.T @ flat
    system = system + torch.eye(len(reflectance)).to(system)
    return reflectance + torch.linalg.solve(system, precision * rows.T @ short)
