"""Key points with Jacobians that a network finds (Siarohin et al. 2019; DaGAN adds depth).

An hourglass on colours and depth, a quarter of the size, gives for each point a heat map, whose
mean place is the point (soft-argmax), and the Jacobian there: the map from the neighbourhood of
the point in a reference pose, which nobody ever sees, to that in the picture. Nothing names the
points. They learn to stay with what they are on from pictures that are bent in a known way.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from morphface.generate.config import GeneratorConfig
from morphface.generate.networks.dense_motion import FOUND, SCALE, grid_of, levels_of
from morphface.generate.networks.hourglass import Hourglass

__all__ = [
    "KeyPoints",
    "between",
    "expected",
    "moved_points",
    "near_points",
    "split_points",
]

_TEMPERATURE = 0.1
"""Of the softmax over a heat map, as published."""
_NEAR = 0.2
"""Distance, in halves of the picture, below which two points are too near (DaGAN)."""
_FIRM = 1e-3
"""Least determinant, without its sign, that a Jacobian is inverted with."""


class KeyPoints(nn.Module):
    """The detector; it has half the width of its generator, as published.

    Args:
        config: resolution and width.
        count: of points.
    """

    precise = True
    """A hundredth of the picture is a pixel: it stays in float32 where others are made quick."""

    def __init__(self, config: GeneratorConfig, count: int) -> None:
        super().__init__()
        width = max(config.width // 2, 1)
        self.look = Hourglass(
            config, 4, width=width, most=16 * config.width, levels=levels_of(config)
        )
        self.heat = nn.Conv2d(self.look.outputs, count, 7, 1, 3)
        self.turn = nn.Conv2d(self.look.outputs, 4 * count, 7, 1, 3)
        nn.init.zeros_(self.turn.weight)
        with torch.no_grad():
            self.turn.bias.copy_(torch.eye(2).flatten().repeat(count))  # type: ignore[union-attr]

    def forward(
        self, pictures: Float[Tensor, "B 3 H W"], depth: Float[Tensor, "B 1 H W"]
    ) -> Float[Tensor, "B N"]:
        """`FOUND` numbers of each point.

        Args:
            pictures: from -1 to 1.
            depth: of them, from 0 to 1.
        """
        given = avg_pool2d(torch.cat([pictures.float(), depth.float()], dim=1), SCALE)
        found = self.look(given)
        share = (self.heat(found).float().flatten(2) / _TEMPERATURE).softmax(2)
        side = given.shape[-1]
        places = expected(share, grid_of(side, share).flatten(0, 1).expand(*share.shape[:2], -1, 2))
        turns = self.turn(found).float().unflatten(1, (-1, 4)).flatten(3).mT
        return torch.cat([places, expected(share, turns)], dim=2).flatten(1)


def expected(
    share: Float[Tensor, "B K P"], values: Float[Tensor, "B K P C"]
) -> Float[Tensor, "B K C"]:
    """Mean of values over the positions of a heat map.

    Args:
        share: of each position; they sum to 1.
        values: at the positions.
    """
    return (share[..., None] * values).sum(2)


def split_points(
    numbers: Float[Tensor, "B N"],
) -> tuple[Float[Tensor, "B K 2"], Float[Tensor, "B K 2 2"]]:
    """Places and Jacobians of points that were found.

    Args:
        numbers: `FOUND` of each.
    """
    places, turns = numbers.unflatten(1, (-1, FOUND)).split((2, 4), dim=2)
    return places, turns.unflatten(2, (2, 2))


def between(photo: Float[Tensor, "#B N"], frame: Float[Tensor, "B N"]) -> Float[Tensor, "B M"]:
    """What dense motion is told of points that were found: eight numbers, as of the mesh.

    The map from the frame to the photo is the photo's Jacobian times the inverse of the frame's
    (Siarohin et al. 2019, equation 4).

    Args:
        photo: points in the photo.
        frame: the same points in the frames.
    """
    (there, source), (here, target) = split_points(photo), split_points(frame)
    maps = source @ inverse(target)
    there = there.expand_as(here)
    return torch.cat([here, there, maps.flatten(2)], dim=2).flatten(1)


def moved_points(
    photo: Float[Tensor, "#B N"], driver: Float[Tensor, "B N"], start: Float[Tensor, "#B N"]
) -> Float[Tensor, "B N"]:
    """The photo's points, moved as a driver's are from its start (the relative mode of FOMM).

    Args:
        photo: points in the photo.
        driver: points in the driver's frames.
        start: in the driver's frame that is like the photo, usually its first.
    """
    (own, turn), (now, turned), (first, unturned) = map(split_points, (photo, driver, start))
    places, turns = own + now - first, turned @ inverse(unturned) @ turn
    return torch.cat([places, turns.flatten(2)], dim=2).flatten(1)


def inverse(maps: Float[Tensor, "*batch 2 2"]) -> Float[Tensor, "*batch 2 2"]:
    """Of maps of the plane; those that are about flat are inverted as if they were less so."""
    a, b, c, d = maps.flatten(-2).unbind(-1)
    size = a * d - b * c
    sign = torch.where(size < 0, -_FIRM, _FIRM).to(size)
    size = torch.where(size.abs() < _FIRM, sign, size)
    rows = torch.stack([d, -b, -c, a], dim=-1) / size[..., None]
    return rows.unflatten(-1, (2, 2))


def near_points(numbers: Float[Tensor, "B N"]) -> Float[Tensor, ""]:
    """How far pairs of points are nearer to one another than 0.2 (DaGAN's key-point distance).

    Args:
        numbers: of points that were found.
    """
    places = split_points(numbers)[0]
    one, two = torch.triu_indices(places.shape[1], places.shape[1], offset=1)
    away = (places[:, one] - places[:, two]).square().sum(-1).clamp(min=1e-8).sqrt()
    return (_NEAR - away).relu().mean() if len(one) else places.sum() * 0
