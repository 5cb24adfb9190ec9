"""Kinds of hair and beards, and the colours that hair has."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.synthetic.dice import Dice

__all__ = ["BEARDS", "STYLES", "Beard", "HairStyle", "hair_colour", "random_beard", "random_style"]

COMBS = ("out", "forward", "back", "parted", "down", "gathered")
"""Where strands lead: away from the head, over the forehead, away from it, to both sides of a
parting, away from the crown, or to a knot."""


@dataclass(frozen=True)
class HairStyle:
    """How hair grows and lies. Lengths are in millimetres.

    Args:
        name: of the kind.
        length: of the longest strands.
        comb: one of `COMBS`.
        lift: how upright strands leave the scalp, 0 to 1.
        weight: how much gravity bends them.
        volume: how far from the scalp the outermost lie.
        curl: radius of curls.
        wave: length of one turn of them.
        clump: how far strands join into locks, 0 to 1.
        fringe: length over the forehead; 0 for none.
        fade: length at the ears as a part of that on top.
        tail: length of what hangs from the knot; 0 for a bun.
        bare: how far back the forehead reaches, beyond the usual hairline.
        part: where the parting is, x.
        strands: how many.
        width: of a strand.
        steps: points of a strand after its root.
    """

    name: str
    length: float
    comb: str
    lift: float
    weight: float
    volume: float
    curl: float = 0.0
    wave: float = 60.0
    clump: float = 0.3
    fringe: float = 0.0
    fade: float = 0.8
    tail: float = 0.0
    bare: float = 0.0
    part: float = 0.0
    strands: int = 2600
    width: float = 2.6
    steps: int = 9


STYLES = (
    HairStyle("bald", 0.0, "out", 0.0, 0.0, 0.0, strands=0),
    HairStyle("buzz", 7.0, "out", 0.9, 0.0, 4.0, fade=0.6, strands=3200, steps=3),
    HairStyle("crop", 30.0, "forward", 0.4, 0.1, 10.0, fade=0.4, clump=0.4, steps=5),
    HairStyle("side", 75.0, "parted", 0.4, 0.2, 20.0, fade=0.3, clump=0.45, part=35.0),
    HairStyle("back", 95.0, "back", 0.5, 0.1, 22.0, fade=0.35, clump=0.5),
    HairStyle("spiky", 45.0, "out", 0.8, 0.0, 32.0, fade=0.3, clump=0.75, steps=5),
    HairStyle("receding", 35.0, "back", 0.3, 0.1, 9.0, fade=0.7, bare=32.0, strands=1800, steps=5),
    HairStyle("curls", 75.0, "out", 0.6, 0.1, 32.0, 6.0, 32.0, 0.6, steps=14),
    HairStyle("afro", 70.0, "out", 1.0, 0.0, 50.0, 4.0, 22.0, 0.35, fade=0.9, steps=14),
    HairStyle("bob", 220.0, "parted", 0.2, 1.3, 20.0, fade=1.0, clump=0.5),
    HairStyle("fringe", 230.0, "down", 0.2, 1.3, 18.0, fade=1.0, fringe=78.0),
    HairStyle("long", 400.0, "parted", 0.2, 1.5, 18.0, fade=1.0, clump=0.55, steps=14),
    HairStyle("waves", 390.0, "parted", 0.2, 1.5, 24.0, 8.0, 110.0, 0.6, fade=1.0, steps=16),
    HairStyle("ringlets", 330.0, "parted", 0.2, 1.2, 34.0, 9.0, 62.0, 0.6, fade=1.0, steps=22),
    HairStyle("bun", 190.0, "gathered", 0.2, 0.0, 9.0, fade=1.0, clump=0.4),
    HairStyle("tail", 190.0, "gathered", 0.2, 0.0, 10.0, fade=1.0, clump=0.4, tail=260.0),
)
"""Every kind; each person has a variant of one."""


@dataclass(frozen=True)
class Beard:
    """Hair of the face. Lengths are in millimetres.

    Args:
        name: of the kind.
        length: of its strands.
        highest: where it ends above, y.
        widest: how far from the middle it reaches, x.
        strands: how many.
    """

    name: str
    length: float
    highest: float
    widest: float
    strands: int


BEARDS = (
    Beard("stubble", 2.5, -20.0, 90.0, 900),
    Beard("short", 8.0, -25.0, 90.0, 900),
    Beard("full", 28.0, -30.0, 90.0, 900),
    Beard("goatee", 14.0, -35.0, 27.0, 450),
)

HAIR = (
    (0.045, 0.038, 0.036),
    (0.085, 0.060, 0.048),
    (0.16, 0.105, 0.075),
    (0.27, 0.17, 0.11),
    (0.40, 0.20, 0.10),
    (0.46, 0.33, 0.20),
    (0.62, 0.48, 0.31),
    (0.74, 0.63, 0.46),
    (0.42, 0.41, 0.40),
    (0.72, 0.71, 0.70),
)
"""From black over brown, red and blond to grey and white."""
ANY = (0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9)
DARK = (0, 0, 0, 1, 1, 2, 8)
"""Which of them people have, and how often; and which go with dark skin."""
DYED = ((0.10, 0.28, 0.55), (0.65, 0.20, 0.42), (0.30, 0.12, 0.42), (0.12, 0.42, 0.34))
DARK_SKIN = 0.33
"""Mean of the three channels of skin below which hair is dark."""


def random_style(dice: Dice) -> HairStyle:
    """A variant of one of `STYLES`."""
    style = dice.pick(STYLES)
    longer, fuller = dice.number(0.75, 1.25), dice.number(0.7, 1.3)
    return replace(
        style,
        length=style.length * longer,
        volume=style.volume * fuller,
        curl=style.curl * dice.number(0.7, 1.3),
        wave=style.wave * dice.number(0.7, 1.4),
        bare=style.bare + max(0.0, 6.0 * float(dice.normal())),
        part=dice.pick((-1.0, 1.0)) * style.part + dice.number(-18.0, 18.0),
        width=style.width * dice.number(0.8, 1.2),
    )


def random_beard(dice: Dice) -> Beard:
    """A variant of one of `BEARDS`."""
    beard = dice.pick(BEARDS)
    return replace(beard, length=beard.length * dice.number(0.6, 1.5))


def hair_colour(dice: Dice, skin: float) -> Float[Tensor, "3"]:
    """A colour of hair that goes with skin.

    Args:
        dice: what draws it.
        skin: mean of the skin's three channels.
    """
    if dice.chance(0.03):
        chosen = dice.pick(DYED)
    else:
        chosen = HAIR[dice.pick(DARK if skin < DARK_SKIN else ANY)]
    return torch.tensor(chosen) * dice.uniform(0.85, 1.2, 1) * dice.uniform(0.95, 1.05, 3)
