"""Strands that grow on a scalp, bend as they are combed and as gravity has it, and lie on the head.

A strand is a chain of points that is stepped from its root: its heading turns towards where hair is
combed, along the surface, and it is kept at the distance from the skull that its layer has. Curls
are helices around the chain, and locks draw strands to the one in their middle.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.ramps import ramp, smoothstep
from morphface.core.records import Record
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.models import MorphableModel
from morphface.synthetic.body import lying_on_shoulders
from morphface.synthetic.dice import Dice
from morphface.synthetic.skull import CENTRE, Skull
from morphface.synthetic.styles import Beard, HairStyle

__all__ = ["Strands", "grown_beard", "grown_hair", "scalp"]

KNOT = (0.0, 72.0, -190.0)
"""Where hair is gathered, in the model frame, in millimetres."""
HAIRLINE = (85.0, 0.93, 20.0)
"""Hair is where y > a + b (z - c) on the mean head: from the forehead down to the nape."""


@dataclass(frozen=True, eq=False)
class Strands(Record):
    """Hair in the model frame.

    Args:
        points: along each strand, from its root, in millimetres.
        width: of the strand at each point.
        tint: how light each is, about 1.
        roots: of each strand, the corners of the face of the mesh that it grows on.
    """

    points: Float[Tensor, "N P 3"]
    width: Float[Tensor, "N P"]
    tint: Float[Tensor, "N P"]
    roots: Int[Tensor, "N 3"]


def scalp(model: MorphableModel, bare: float = 0.0) -> Float[Tensor, " V"]:
    """How far behind the hairline each vertex lies, in millimetres; no more than 0 where none is.

    Args:
        model: of the head.
        bare: how far the hairline lies farther back.
    """
    height, slope, middle = HAIRLINE
    x, y, z = model.identity.mean.unbind(-1)
    temples = 0.35 * bare * smoothstep(x.abs(), 15.0, 45.0) * (z > -60)
    front = bare * smoothstep(z, -100.0, -20.0) + temples
    behind = y - (height + front + slope * (z - middle))
    none = (model.regions["skin"] < 0.5) | (model.regions["ears"] > 0.2)
    return torch.where(none, -1.0, behind)


def grown_hair(
    model: MorphableModel, neutral: Float[Tensor, "V 3"], style: HairStyle, dice: Dice
) -> Strands | None:
    """The hair of a head; None of a bald one.

    Args:
        model: of the head.
        neutral: its vertices without expression.
        style: of the hair.
        dice: what decides where strands grow.
    """
    if not style.strands:
        return None
    behind = scalp(model, style.bare)
    on = (behind > 0)[model.faces].all(-1)
    roots, corners, normals = _rooted(model, neutral, on, style.strands, dice)
    depth = behind[corners].mean(-1)
    skull = Skull.of(model, neutral)
    points = _Growth(style, skull, dice, roots, normals, depth).points()
    if style.comb == "gathered":
        more = _tail(style, dice) if style.tail else _bun(style, dice)
        points, corners = torch.cat([points, more]), torch.cat([corners, corners[: len(more)]])
    points = _in_locks(_curled(points, style, dice), style, dice)
    return _strands(points, corners, style.width, dice)


def grown_beard(
    model: MorphableModel, neutral: Float[Tensor, "V 3"], beard: Beard, dice: Dice
) -> Strands:
    """The beard of a face.

    Args:
        model: of the head.
        neutral: its vertices without expression.
        beard: its kind.
        dice: what decides where strands grow.
    """
    mean = model.identity.mean
    lips = model.regions["lips"] > 0.2
    own = (model.regions["beard"] > 0.35) & ~lips & (mean[:, 1] < beard.highest)
    own &= mean[:, 0].abs() < beard.widest
    on = own[model.faces].all(-1)
    roots, corners, normals = _rooted(model, neutral, on, beard.strands, dice)
    length = beard.length * dice.uniform(0.5, 1.0, len(roots), 1)
    above = roots[:, 1:2] > neutral[lips, 1].mean()
    length = torch.where(above, length.clamp(max=7.0), length)  # a moustache is cut
    down = normals.new_tensor([0.0, -0.9, 0.15]) + 0.35 * dice.normal(len(roots), 3)
    heading = normalized(0.7 * normals + down)
    along = torch.linspace(0, 1, 4)[None, :, None]
    bent = heading[:, None] * along + torch.tensor([0.0, -0.35, 0.0]) * along.square()
    return _strands(roots[:, None] + length[..., None] * bent, corners, 1.6, dice)


def _rooted(
    model: MorphableModel, neutral: Tensor, on: Tensor, count: int, dice: Dice
) -> tuple[Tensor, Tensor, Tensor]:
    """Places, corners and normals of roots, spread evenly over some faces."""
    faces = model.faces[on].long()
    a, b, c = neutral[faces].unbind(1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=-1)
    chosen = torch.multinomial(area, count, replacement=True, generator=dice.generator)
    share = dice.uniform(0, 1, count, 2)
    share = torch.where(share.sum(-1, keepdim=True) > 1, 1 - share, share)
    weights = torch.cat([share, 1 - share.sum(-1, keepdim=True)], dim=-1)[..., None]
    corners = faces[chosen]
    normals = vertex_normals(neutral, model.faces)[corners]
    return (neutral[corners] * weights).sum(1), corners, normalized((normals * weights).sum(1))


@dataclass(frozen=True, eq=False)
class _Growth:
    """Hair while it grows, all strands at once."""

    style: HairStyle
    skull: Skull
    dice: Dice
    roots: Float[Tensor, "N 3"]
    normals: Float[Tensor, "N 3"]
    depth: Float[Tensor, " N"]

    def points(self) -> Float[Tensor, "N P 3"]:
        """The chains."""
        style, count = self.style, len(self.roots)
        stray = 0.15 * self.dice.normal(count, 3)
        layer = self.dice.uniform(0.2, 1.0, count) * style.volume * ramp(self.depth, -4.0, 35.0)
        step = (self._lengths() / style.steps)[:, None]
        wish = self._combed(self.roots, 1.0)
        heading = normalized(style.lift * self.normals + (1 - style.lift) * wish + stray)
        chain = [self.roots + 0.5 * self.normals]
        turn = 1 - 0.62 ** (9 / style.steps)  # as stiff, however many steps there are
        for number in range(1, style.steps + 1):
            before, run = chain[-1], number / style.steps
            wish = self._combed(before, max(1 - 4 * run, 0.0) if style.weight > 0.3 else 1.0)
            heading = normalized((1 - turn) * heading + turn * wish + 0.25 * turn * stray)
            after = before + heading * step
            rise = layer * min(1.0, 3 * run)
            after = self.skull.outside(after, rise)
            chain.append(lying_on_shoulders(self._off_the_face(after)))
        return torch.stack(chain, dim=1)

    def _off_the_face(self, points: Tensor) -> Float[Tensor, "N 3"]:
        """Points of long hair moved to the side of what it hangs down at."""
        if self.style.length < 120 or self.style.comb == "gathered":
            return points
        x, y, z = points.unbind(-1)
        half = 82 * smoothstep(y, 92.0, 45.0) * smoothstep(z, -62.0, -25.0)
        side = torch.where(self.roots[:, 0] >= self.style.part, 1.0, -1.0)
        aside = torch.where(self._front() & (self.style.fringe > 0), x, side * half)
        return torch.stack([torch.where(side * x < half, aside, x), y, z], dim=-1)

    def _lengths(self) -> Float[Tensor, " N"]:
        style = self.style
        low = ramp(self.roots[:, 1], 80.0, -10.0)
        length = style.length * (1 + (style.fade - 1) * low)
        if style.fringe:
            length = torch.where(self._front(), style.fringe, length)
        return length * self.dice.uniform(0.75, 1.0, len(length))

    def _front(self) -> Tensor:
        """Which strands grow above the forehead."""
        x, _, z = self.roots.unbind(-1)
        return (z > -45) & (x.abs() < 58) & (self.depth < 55)

    def _combed(self, points: Tensor, fresh: float) -> Float[Tensor, "N 3"]:
        """Where hair at some points is led to, along the head, and down by its weight.

        Args:
            points: of the strands.
            fresh: how far hair still rises there, from 1 at the root.
        """
        style, away = self.style, Skull.outwards(points)
        wish = _COMBS[style.comb](points, self.roots, style)
        if style.fringe:
            side = 0.2 * torch.sign(self.roots[:, :1])
            over = torch.cat([side, torch.full_like(side, -0.6), torch.ones_like(side)], dim=-1)
            wish = torch.where(self._front()[:, None], over, wish)
        elif style.length > 120:
            wish = wish + _beside_the_face(points, self.roots[:, 0] - style.part)
        if style.weight > 1:  # what hangs below the ears is led by its weight alone
            wish = wish * ramp(points[:, 1:2], -30.0, 35.0)
        wish = wish - (wish * away).sum(-1, keepdim=True) * away + fresh * style.lift * away
        return normalized(wish - style.weight * wish.new_tensor([0.0, 1.0, 0.0]))


def _beside_the_face(points: Tensor, side: Tensor) -> Float[Tensor, "N 3"]:
    """What leads strands out of the face, to their side."""
    x, y, z = points.unbind(-1)
    within = ramp(z, -45.0, -10.0) * ramp(y, 95.0, 70.0) * ramp(x.abs(), 88.0, 70.0)
    aside = torch.stack([torch.sign(side), 0 * side, -0.8 + 0 * side], dim=-1)
    return 2.0 * within[:, None] * aside


def _out(points: Tensor, roots: Tensor, style: HairStyle) -> Tensor:
    return Skull.outwards(points)


def _forward(points: Tensor, roots: Tensor, style: HairStyle) -> Tensor:
    return points.new_tensor([0.0, -0.2, 1.0]).expand_as(points)


def _back(points: Tensor, roots: Tensor, style: HairStyle) -> Tensor:
    side = 0.25 * torch.sign(roots[:, :1])
    return torch.cat([side, 0.1 + 0 * side, -1 + 0 * side], dim=-1)


def _parted(points: Tensor, roots: Tensor, style: HairStyle) -> Tensor:
    side = torch.tanh((roots[:, :1] - style.part) / 12)
    return torch.cat([side, -0.2 + 0 * side, -0.45 + 0 * side], dim=-1)


def _down(points: Tensor, roots: Tensor, style: HairStyle) -> Tensor:
    crown = points.new_tensor([0.0, 0.0, CENTRE[2] - 20])
    flat = (points - crown) * points.new_tensor([1.0, 0.0, 1.0])
    return normalized(flat) - points.new_tensor([0.0, 0.6, 0.0])


def _gathered(points: Tensor, roots: Tensor, style: HairStyle) -> Tensor:
    return normalized(points.new_tensor(KNOT) - points)


_COMBS = {
    "out": _out,
    "forward": _forward,
    "back": _back,
    "parted": _parted,
    "down": _down,
    "gathered": _gathered,
}


def _bun(style: HairStyle, dice: Dice, count: int = 420) -> Float[Tensor, "N P 3"]:
    """Strands wound around a ball."""
    pole = normalized(dice.normal(count, 3) * torch.tensor([0.5, 0.5, 1.0]))
    first = normalized(torch.linalg.cross(pole, dice.normal(count, 3)))
    second = torch.linalg.cross(pole, first)
    turn = torch.linspace(0, 3.6, style.steps + 1)[None, :, None]
    ring = first[:, None] * turn.cos() + second[:, None] * turn.sin() + 0.15 * pole[:, None]
    radius = dice.number(24.0, 40.0) * dice.uniform(0.85, 1.0, count, 1, 1)
    return torch.tensor(KNOT) + torch.tensor([0.0, 4.0, -8.0]) + radius * ring


def _tail(style: HairStyle, dice: Dice, count: int = 500) -> Float[Tensor, "N P 3"]:
    """Strands that hang from the knot."""
    along = torch.linspace(0, 1, style.steps + 1)[None, :, None]
    spread = dice.normal(count, 1, 3) * torch.tensor([14.0, 4.0, 9.0])
    length = style.tail * dice.uniform(0.8, 1.0, count, 1, 1)
    swing = torch.tensor([dice.number(-30.0, 30.0), 0.0, -35.0])
    fall = torch.tensor([0.0, -1.0, 0.0]) * length * along
    swell = (along * 3).clamp(max=1) * (1.2 - 0.6 * along)
    arch = swing * (along * (2 - along))
    return torch.tensor(KNOT) + fall + arch + spread * swell


def _curled(points: Tensor, style: HairStyle, dice: Dice) -> Float[Tensor, "N P 3"]:
    """Chains wound into helices."""
    if not style.curl:
        return points
    along = normalized(points[:, -1] - points[:, 0])
    first = normalized(torch.linalg.cross(along, along.new_tensor([0.3, 0.2, 1.0])[None]))
    second = torch.linalg.cross(along, first)
    run = torch.linspace(0, 1, points.shape[1]) * style.length
    turn = 2 * torch.pi * (run / style.wave)[None] + dice.uniform(0, 6.28, len(points), 1)
    size = style.curl * ramp(run, 0.0, 0.4 * style.wave)[None, :, None]
    wound = first[:, None] * turn.cos()[..., None] + second[:, None] * turn.sin()[..., None]
    return points + size * wound


def _in_locks(points: Tensor, style: HairStyle, dice: Dice) -> Float[Tensor, "N P 3"]:
    """Strands drawn to the one in the middle of their lock, more so towards their tips."""
    middles = dice.whole(len(points), max(len(points) // 14, 1))
    nearest = torch.cdist(points[:, 0], points[middles, 0]).argmin(-1)
    lead = points[middles][nearest] - points
    share = style.clump * torch.linspace(0, 1, points.shape[1]).square()[None, :, None]
    near = smoothstep(lead[:, -1].norm(dim=-1), 90.0, 30.0)[:, None, None]
    return points + near * share * lead


def _strands(points: Tensor, corners: Tensor, width: float, dice: Dice) -> Strands:
    along = torch.linspace(0, 1, points.shape[1])
    taper = width * (1 - 0.75 * along.square())
    shade = (0.55 + 0.45 * ramp(along, 0.0, 0.35)) * (1 + 0.12 * along)
    tint = (1 + 0.16 * dice.normal(len(points), 1)).clamp(0.5, 1.6)
    return Strands(points, taper.expand(points.shape[:2]), tint * shade, corners)
