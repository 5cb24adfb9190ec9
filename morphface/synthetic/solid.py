"""People as solids: the head's mesh, and hair as the room that its strands fill.

Strands are thin; what a picture shows of them is the surface of their mass. That is taken as the
closing of all points of strands: whatever a ball cannot reach without touching one of them.
"""

from dataclasses import dataclass

import numpy as np
import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import grid_sample

from morphface.models.skin import outer_faces
from morphface.parameters import FaceParameters
from morphface.render.aligned import HIGH, LOW
from morphface.render.distance import SignedDistance
from morphface.synthetic.dice import Dice
from morphface.synthetic.draw import strands_of
from morphface.synthetic.person import Person

__all__ = ["Field", "Solid", "hair_field", "solid_of"]

CELLS = 112
"""Of the grid that holds the room of hair, along each side of the box; 3.2 mm each."""
HALF = 2.0
"""How far hair goes beyond the middle of a strand, in millimetres."""
BALL = 8.0
"""Radius of the ball that closes gaps between strands, in millimetres."""
_NEARER, _FLAT = 2, 0.1
"""Steps towards the surface, and the least square of a slope to step along."""
SHORTEST = 5.0
"""Strands that are shorter, as of stubble, are no surface of their own, in millimetres."""


@dataclass(frozen=True, eq=False)
class Field:
    """Values at the nodes of the grid of the box, straight between them.

    Args:
        values: at nodes along x, y and z, in millimetres.
    """

    values: Float[Tensor, "X Y Z"]

    def at(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, " N"]:
        """Values at points of the model frame; beyond the box those of its border."""
        return self._sampled(self.values[None], points)[0]

    def slope(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, "N 3"]:
        """By how much they rise in a millimetre along each axis."""
        slopes = torch.gradient(self.values, spacing=_step())
        return self._sampled(torch.stack(slopes), points).T

    def on_surface(self, count: int, dice: Dice) -> Float[Tensor, "N 3"]:
        """Points of the surface where values are 0, about evenly.

        Args:
            count: how many.
            dice: what draws them.
        """
        nodes = torch.nonzero(self.values.abs() < _step())
        chosen = nodes[dice.whole(len(nodes), count)] + dice.uniform(-0.5, 0.5, count, 3)
        points = chosen * _step() + torch.tensor(LOW)
        for _ in range(_NEARER):
            slope = self.slope(points)
            square = slope.square().sum(-1, keepdim=True).clamp(min=_FLAT)
            points = points - self.at(points)[:, None] * slope / square
        return points

    @staticmethod
    def _sampled(values: Float[Tensor, "C X Y Z"], points: Tensor) -> Float[Tensor, "C N"]:
        low, high = torch.tensor(LOW), torch.tensor(HIGH)
        place = ((points - low) / (high - low) * 2 - 1).flip(-1)  # grid_sample has z first
        found = grid_sample(
            values[None], place[None, None, None], padding_mode="border", align_corners=True
        )
        return found[0, :, 0, 0]


@dataclass(frozen=True, eq=False)
class Solid:
    """A person in one frame, in the model frame.

    Args:
        vertices: of the head.
        faces: of skin and eyeballs.
        head: distance to it.
        hair: distance to the surface of hair, below 0 within; None for who has none.
    """

    vertices: Float[Tensor, "V 3"]
    faces: Int[Tensor, "F 3"]
    head: SignedDistance
    hair: Field | None

    def distance(self, points: Float[Tensor, "N 3"]) -> Float[Tensor, " N"]:
        """To the surface of both together, below 0 within; a bound of it where they overlap.

        Args:
            points: of the model frame.
        """
        head = self.head.at(points).distance
        return head if self.hair is None else torch.minimum(head, self.hair.at(points))

    def on_head(self, count: int, dice: Dice) -> Float[Tensor, "N 3"]:
        """Points of skin and eyeballs, evenly.

        Args:
            count: how many.
            dice: what draws them.
        """
        a, b, c = self.vertices[self.faces.long()].unbind(1)
        area = torch.linalg.cross(b - a, c - a).norm(dim=-1)
        chosen = torch.multinomial(area, count, replacement=True, generator=dice.generator)
        share = dice.uniform(0, 1, count, 2)
        share = torch.where(share.sum(-1, keepdim=True) > 1, 1 - share, share)
        first, second = share.split(1, -1)
        a, b, c = a[chosen], b[chosen], c[chosen]
        return a + first * (b - a) + second * (c - a)


def solid_of(person: Person, pose: FaceParameters) -> Solid:
    """A person in one frame.

    Args:
        person: who.
        pose: one frame.
    """
    shape = person.model.vertices(person.identity, pose.expression, pose.gaze)[0]
    matrix = roma.rotvec_to_rotmat(pose.rotation[0])
    strands = [
        ((points - pose.translation[0]) @ matrix) for points in strands_of(person, pose, shape)
    ]
    faces = outer_faces(person.model)
    return Solid(shape, faces, SignedDistance(shape, faces), hair_field(strands))


def hair_field(strands: list[Float[Tensor, "N P 3"]]) -> Field | None:
    """How far points of the grid are from the surface of hair; None if there is none.

    Args:
        strands: points along each strand in the model frame.
    """
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    taken = np.zeros((CELLS + 1,) * 3, bool)
    for points in strands:
        taken |= _marked(points)
    if not taken.any():
        return None
    room = tuple(_around(taken, axis) for axis in range(3))
    away = distance_transform_edt(~taken[room]) * _step()
    beyond = away - (HALF + BALL)
    within = distance_transform_edt(beyond < 0) * _step() - _step() / 2
    distance = BALL + np.where(beyond < 0, -within, beyond)
    found = np.full(taken.shape, BALL, np.float32)
    found[room] = gaussian_filter(distance, 1.0)
    return Field(torch.from_numpy(found))


def _around(taken: np.ndarray, axis: int) -> slice:
    """Nodes along an axis that hair may reach."""
    some = np.flatnonzero(taken.any(tuple(k for k in range(3) if k != axis)))
    more = int((HALF + BALL) / _step()) + 3
    return slice(max(some[0] - more, 0), some[-1] + more + 1)


def _step() -> float:
    return (HIGH[0] - LOW[0]) / CELLS


def _marked(points: Float[Tensor, "N P 3"]) -> np.ndarray:
    """Nodes of the grid beside which a strand goes."""
    taken = np.zeros((CELLS + 1,) * 3, bool)
    pieces = points[:, 1:] - points[:, :-1]
    points = points[pieces.norm(dim=-1).sum(-1) > SHORTEST]
    if not len(points):
        return taken
    longest = float((points[:, 1:] - points[:, :-1]).norm(dim=-1).max())
    share = torch.linspace(0, 1, int(longest / _step()) + 2)[:, None]
    every = torch.lerp(points[:, :-1, None], points[:, 1:, None], share).reshape(-1, 3)
    nodes = ((every - torch.tensor(LOW)) / _step()).round().long()
    x, y, z = nodes[((nodes >= 0) & (nodes <= CELLS)).all(-1)].numpy().T
    taken[x, y, z] = True
    return taken
