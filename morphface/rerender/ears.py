"""Which ears are not under hair: both, one, or none."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.models import MorphableModel

if TYPE_CHECKING:
    from morphface.rerender.person import Person

__all__ = ["bare_ears", "beside_bare_ears"]

BARE = 0.7
"""Share of skin where ears are to be, from which they are not under hair."""
APART = 0.25
"""How far that of one ear is from that of both if only one is bare."""
PERSON = 0.25
"""Share of where an ear is to be that must show the person, to tell."""
FEWEST = 4
"""Pixels of it that must."""
MUCH = 0.3
"""How much must be seen of an ear, beside the other one, to contradict it."""


def bare_ears(person: "Person") -> Float[Tensor, " V"]:
    """How far each vertex is of an ear that is not under hair.

    One alone is rarely bare: what both say together counts, unless they contradict each other. One
    that the photo does not show is as the other is.

    Args:
        person: in a photo.
    """
    model = person.face.model
    ears, side = model.regions.get("ears"), model.identity.mean[:, 0]
    if ears is None:
        return torch.zeros(model.size)
    places = person.on_mesh(torch.stack([ears * (side > 0), ears * (side < 0)], -1)) > 0.5
    seen = [_seen(person, places[..., k]) for k in (0, 1)]
    total = sum(amount for amount, _ in seen)
    if total == 0:
        return torch.zeros_like(ears)
    both = sum(skin for _, skin in seen) / total
    enough = MUCH * max(amount for amount, _ in seen)
    shares = [skin / amount if amount > enough else both for amount, skin in seen]
    left, right = ((own if abs(own - both) > APART else both) > BARE for own in shares)
    return ears * torch.where(side > 0, float(left), float(right))


def beside_bare_ears(model: MorphableModel, ears: Float[Tensor, " V"]) -> Float[Tensor, " V"]:
    """1 on the sides of a head whose ears are bare, 0 where hair hangs over them.

    Args:
        model: of the head.
        ears: what `bare_ears` says of it.
    """
    left = model.identity.mean[:, 0] > 0
    there, other = (float(ears[side].amax() > 0.5) for side in (left, ~left))
    return torch.where(left, there, other)


def _seen(person: "Person", place: Bool[np.ndarray, "h w"]) -> tuple[float, float]:
    """Pixels that show the person where an ear is to be, and those of them that are skin."""
    shown = person.matte[place]
    # An ear that the photo has behind a cheek is where that shows what is behind them.
    if shown.sum() <= max(PERSON * place.sum(), FEWEST):
        return 0.0, 0.0
    return float(shown.sum()), float((person.labels.skin[place] * shown).sum())
