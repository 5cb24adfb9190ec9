"""Frames of glasses, which sit on a head and turn with it."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.models import MorphableModel
from morphface.synthetic.dice import Dice
from morphface.synthetic.shapes import GLASS, Part, tube

__all__ = ["random_glasses"]

TONES = ((0.03, 0.03, 0.035), (0.16, 0.08, 0.05), (0.45, 0.43, 0.40), (0.35, 0.05, 0.06))
BEFORE = 15.0
"""How far lenses stand before the eyeballs, in millimetres (vertex distance)."""
EARS = (7.0, -88.0)
"""Where the temples end, y and z in the model frame, in millimetres."""


def random_glasses(model: MorphableModel, neutral: Float[Tensor, "V 3"], dice: Dice) -> Part | None:
    """A frame that fits a face; None if its model has no eyes.

    Args:
        model: of the head.
        neutral: its vertices without expression.
        dice: what draws the frame.
    """
    if model.eyes is None:
        return None
    wide, tall, thick = dice.number(22, 27), dice.number(16, 24), dice.number(0.8, 2.2)
    round_ = dice.number(2.0, 4.0)
    paths, ends, bridge = [], [], []
    for eye, side in zip(model.eyes, (1.0, -1.0), strict=True):
        at = eye.centre(neutral) + torch.tensor([2.0 * side, -4.0, eye.radius + BEFORE])
        angle = torch.linspace(0, 2 * torch.pi, 29)
        across, up = (_power(values, 2 / round_) for values in (angle.cos(), angle.sin()))
        ring = torch.stack([wide * across, tall * up, -0.12 * wide * (side * across + 1)], dim=-1)
        paths.append((at + ring, True))
        ends.append(at + torch.tensor([side * wide, 0.3 * tall, -0.24 * wide]))
        bridge.append(at + torch.tensor([-side * wide, 0.25 * tall, 0.0]))
    middle = (bridge[0] + bridge[1]) / 2 + torch.tensor([0.0, 2.0, 2.0])
    paths.append((torch.stack([bridge[0], middle, bridge[1]]), False))
    for end in ends:
        back = torch.tensor([float(end[0]) * 1.12, *EARS])
        paths.append((torch.lerp(end, back, torch.linspace(0, 1, 6)[:, None]), False))
    return _joined(paths, thick, torch.tensor(dice.pick(TONES)))


def _power(values: Tensor, power: float) -> Tensor:
    """With the sign kept: circles become rounded squares (superellipses)."""
    return values.sign() * values.abs() ** power


def _joined(paths: list[tuple[Tensor, bool]], radius: float, colour: Tensor) -> Part:
    vertices, normals, faces, start = [], [], [], 0
    for path, closed in paths:
        points, outwards, triangles = tube(path, radius, closed=closed)
        vertices.append(points)
        normals.append(outwards)
        faces.append(triangles + start)
        start += len(points)
    around = torch.cat(normals)
    return Part.of(torch.cat(vertices), torch.cat(faces), colour, GLASS, normals=around)
