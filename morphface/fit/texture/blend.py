"""One albedo from several photos of a person, whatever one of them gets wrong.

Photos differ by their light's estimated strength and tint, which is a factor for each channel, and
at some points by a hair, a highlight, a shadow or a misfit: there the majority counts. Values are
compared by their logarithms (`to_log`), so that a factor becomes a difference.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.shared.medians import weighted_median
from morphface.fit.texture.photo import Delit

__all__ = ["blended", "from_log", "to_log"]

DARKEST = 0.03
"""Added before logarithms: differences far below it are noise."""
TOLERANCE = 0.08
"""Log difference of two photos that is usual."""
VOTE = 0.15
"""How much the model's albedo counts where photos are at odds."""
_ROUNDS = 4
_LEAST = 1e-6
_COMMON = 50.0


def to_log(colours: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Logarithms that stay finite in the dark; `from_log` inverts them."""
    return torch.log(colours.clamp(min=0) + DARKEST)


def from_log(values: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Colours of `to_log`."""
    return values.exp() - DARKEST


def blended(
    photos: Sequence[Delit], guide: Float[Tensor, "N 3"]
) -> tuple[Float[Tensor, "N 3"], Float[Tensor, " N"], Float[Tensor, "P 3"]]:
    """Logarithms of the common albedo, confidence, and each photo's factor on top of it.

    The median factor of the photos is 1, so that one of them alone cannot change the level.

    Args:
        photos: of one person, at the same points.
        guide: logarithms of the model's albedo there.
    """
    if len(photos) == 1:
        return to_log(photos[0].albedo), photos[0].confidence, torch.ones(1, 3)
    values = torch.stack([to_log(photo.albedo) for photo in photos])
    trust = torch.stack([photo.confidence for photo in photos])
    factors = _factors(values, trust, guide)
    level = values - factors[:, None]
    middle = weighted_median(
        torch.cat([level, guide[None]]), torch.cat([trust, torch.full_like(trust[:1], VOTE)])
    )
    for _ in range(_ROUNDS):
        agree = 1 / (1 + ((level - middle) / TOLERANCE).square().mean(-1)).square()
        weight = trust * agree
        total = weight.sum(0)
        mean = (level * weight[..., None]).sum(0) / total.clamp(min=_LEAST)[:, None]
        middle = torch.where(total[:, None] > _LEAST, mean, middle)
    return middle, _agreed(trust, agree), factors.exp()


def _agreed(trust: Float[Tensor, "P N"], agree: Float[Tensor, "P N"]) -> Float[Tensor, " N"]:
    """How far the points may be trusted: photos that are at odds count for less."""
    most = trust.amax(0)
    shared = (trust * agree).sum(0) / trust.sum(0).clamp(min=_LEAST)
    return most * shared.sqrt()


def _factors(
    values: Float[Tensor, "P N 3"], trust: Float[Tensor, "P N"], guide: Float[Tensor, "N 3"]
) -> Float[Tensor, "P 3"]:
    """Log factor of each photo against the others where they overlap, else against the model."""
    factors = torch.stack([_middle(v - guide, t) for v, t in zip(values, trust, strict=True)])
    common = (trust > 0.3).sum(0) >= 2
    for _ in range(_ROUNDS):
        centre = weighted_median(values - factors[:, None], trust)
        for k, own in enumerate(trust):
            if float((own * common).sum()) > _COMMON:
                factors[k] = _middle(values[k] - centre, own * common)
    return factors - factors.quantile(0.5, dim=0)


def _middle(values: Float[Tensor, "N 3"], weight: Float[Tensor, " N"]) -> Float[Tensor, "3"]:
    """The median of the points with at least half of the largest weight."""
    return values[weight >= 0.5 * weight.max()].median(dim=0).values
