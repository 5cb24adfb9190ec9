"""What is behind people: walls, rooms, lights out of focus, greenery."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from morphface.synthetic.dice import Dice

__all__ = ["random_wall"]


def random_wall(side: int, dice: Dice) -> Float[Tensor, "S S 3"]:
    """A background of one of several kinds, in or out of focus.

    Args:
        side: in pixels.
        dice: what draws it.
    """
    kind: Callable[[int, Dice], Tensor] = dice.pick(_KINDS)
    picture = kind(side, dice)
    if dice.chance(0.6):
        few = max(int(side / (1 + dice.number(0, 0.09) * side)), 4)
        small = interpolate(picture[None], (few, few), mode="area")
        picture = interpolate(small, (side, side), mode="bicubic", align_corners=False)[0]
    return picture.clamp(0.01, 0.99).movedim(0, -1).contiguous()


def _noise(side: int, cells: int, dice: Dice, channels: int = 1) -> Float[Tensor, "C S S"]:
    """Smooth values about 0, with so many waves across."""
    coarse = dice.normal(1, channels, cells + 2, cells + 2)
    return interpolate(coarse, (side, side), mode="bicubic", align_corners=False)[0]


def _colour(dice: Dice, low: float = 0.08, high: float = 0.85) -> Float[Tensor, "3 1 1"]:
    """Mostly grey, sometimes bright."""
    strong = dice.pick((0.02, 0.05, 0.11))
    return (dice.uniform(low, high, 1, 1, 1) + strong * dice.normal(3, 1, 1)).clamp(0.02, 0.95)


def _studio(side: int, dice: Dice) -> Tensor:
    """One colour with a glow."""
    row, column = torch.meshgrid(*[torch.linspace(-1, 1, side)] * 2, indexing="ij")
    x, y = dice.number(-0.6, 0.6), dice.number(-0.7, 0.7)
    glow = torch.exp(-((column - x) ** 2 + (row - y) ** 2) / dice.number(0.4, 2.5))
    return _colour(dice) * (1 + dice.number(-0.3, 0.7) * glow) + 0.015 * _noise(side, 4, dice)


def _plaster(side: int, dice: Dice) -> Tensor:
    """A wall with soft shades, and now and then a shadow's edge."""
    shade = 0.06 * _noise(side, 2, dice) + 0.02 * _noise(side, 24, dice)
    row, column = torch.meshgrid(*[torch.linspace(-1, 1, side)] * 2, indexing="ij")
    slope = dice.normal(2)
    edge = torch.sigmoid((slope[0] * row + slope[1] * column) * dice.number(2, 40))
    return (_colour(dice, 0.3, 0.9) + shade) * (1 - dice.number(0, 0.3) * edge)


def _room(side: int, dice: Dice) -> Tensor:
    """A wall with doors, shelves, frames and lines."""
    picture = _plaster(side, dice)
    for _ in range(int(dice.number(2, 12))):
        top, left = (dice.uniform(-0.2, 1.0, 2) * side).int().clamp(min=0).tolist()
        tall, wide = (dice.uniform(0.03, 0.7, 2) * side).int().tolist()
        picture[:, top : top + tall, left : left + wide] = _colour(dice)
        inner = max(int(dice.number(0, 0.05) * side), 1)
        if dice.chance(0.5):
            hole = slice(top + inner, top + tall - inner), slice(left + inner, left + wide - inner)
            picture[(slice(None), *hole)] = _colour(dice)
    return picture + 0.015 * _noise(side, 40, dice)


def _shelves(side: int, dice: Dice) -> Tensor:
    """Rows of books."""
    picture = _colour(dice, 0.05, 0.5).expand(3, side, side).clone()
    row = 0
    while row < side:
        tall = max(int(dice.number(0.14, 0.26) * side), 2)
        column = 0
        while column < side:
            wide = max(int(dice.number(0.015, 0.06) * side), 1)
            top = row + int(dice.number(0, 0.3) * tall)
            picture[:, top : row + tall - max(tall // 12, 1), column : column + wide] = _colour(
                dice
            )
            column += wide
        row += tall
    return picture


def _lights(side: int, dice: Dice) -> Tensor:
    """A dark place with discs of light."""
    picture = _colour(dice, 0.03, 0.25) * (1 + 0.3 * _noise(side, 3, dice))
    row, column = torch.meshgrid(*[torch.linspace(0, 1, side)] * 2, indexing="ij")
    for _ in range(int(dice.number(6, 30))):
        y, x, radius = dice.number(0, 1), dice.number(0, 1), dice.number(0.01, 0.07)
        disc = torch.sigmoid((radius - torch.hypot(row - y, column - x)) * side / 2)
        picture = picture + dice.number(0.1, 0.6) * _colour(dice, 0.3, 0.9) * disc
    return picture


def _greenery(side: int, dice: Dice) -> Tensor:
    """Sky above, leaves and ground below, all of them mottled."""
    row = torch.linspace(0, 1, side)[:, None].expand(side, side)
    mottle = sum(_noise(side, cells, dice) / (1 + cells / 12) for cells in (4, 9, 20, 48))
    leaves = torch.tensor([0.20, 0.30, 0.12])[:, None, None] * dice.uniform(0.6, 1.5, 1, 1, 1)
    sky = torch.tensor([0.62, 0.72, 0.85])[:, None, None] * dice.uniform(0.7, 1.15, 1, 1, 1)
    line = dice.number(-0.3, 0.8) + 0.06 * _noise(side, 8, dice)
    above = torch.sigmoid((line - row) * 30)
    return torch.lerp(leaves * (1 + 0.45 * mottle), sky + 0.03 * mottle, above)


def _abstract(side: int, dice: Dice) -> Tensor:
    """Coloured patches of several sizes, as of things far out of focus."""
    colours = sum(_noise(side, cells, dice, 3) / cells**0.5 for cells in (2, 5, 11, 30))
    return _colour(dice) + dice.number(0.03, 0.10) * colours


_KINDS = (_studio, _plaster, _plaster, _room, _room, _shelves, _lights, _greenery, _abstract)
