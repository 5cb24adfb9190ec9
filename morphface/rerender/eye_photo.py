"""What a photo shows of an eye, taken apart: the eye without its iris, the iris, its highlights."""

from dataclasses import dataclass, replace
from math import pi

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.fit.analysis.colour import LUMINANCE
from morphface.render.relief import membrane
from morphface.render.warp import centres, enlarged, look_up
from morphface.rerender.eye_place import Ball, EyePlace, from_lids

__all__ = ["PATCH", "EyePhoto", "box_around", "lids_over", "shadow"]

AROUND = 0.4
"""How far around an eye it is looked at, in its widths."""
COLUMNS = 48
"""Nodes along an eye and what is around it at which the distance from lids is worked out."""
SHADOW = 0.5, 0.09
"""Share of the light that the upper lid takes at its edge, and how far down it reaches, in widths
of the eye."""
EDGE = 0.2, 0.06
"""The same of all that is around an eye."""
ROUNDED = 0.2
"""The same where an eyeball is seen from aside."""
PATCH = 1.3
"""How far around the centre of an iris it is kept, in its radii."""
RIM = 0.03
"""How far from the lids, in widths of the eye, they are not seen for the eye."""
WHITE = 0.6
"""Part of the usual brightness of the sclera below which lashes or lids are seen."""
TINT = 1.25
"""How many times brighter or darker than grey a channel of sclera is at most: the rest is skin."""
UNDER = -0.1, -0.25
"""Between which distances outside of lids skin is looked at, in widths of the eye."""
WHITEST = 0.85, 1.6
"""How bright sclera is beside that skin, at least; and how many times brighter it becomes, at most.
"""
GLINT = 0.1, 0.2
"""How much brighter than the rest of the iris a highlight is: not up to the first, wholly from the
second."""
INNER = 0.85, 0.7
"""Radii of an iris between which highlights end: at its edge, sclera is bright."""
PUPIL = 0.45
"""Radii of the iris that a pupil may have."""
SEARCH = 0.35, 0.15, 5
"""How far from its landmarks an iris is looked for, as a shift and as a change of size, in its
radii, and in how many steps to either side."""
LIKELY = 0.04
"""How much less a step to the end of that is worth, in brightness."""
ROUND = 24
"""Rings of an iris that have a colour each."""


@dataclass(frozen=True, eq=False)
class EyePhoto:
    """A part of a photo that shows an eye.

    Args:
        place: of the eye in it, with its iris where it is seen.
        corner: of the part, x and y in pixels of the photo.
        clean: the part with sclera in place of the iris, shaded as there.
        iris: in light that no lid takes away; from -PATCH to PATCH of its radii.
        glint: what highlights add to it.
    """

    place: EyePlace
    corner: tuple[int, int]
    clean: Float[Tensor, "h w 3"]
    iris: Float[Tensor, "n n 3"]
    glint: Float[Tensor, "n n 3"]

    @classmethod
    def of(cls, pixels: Float[Tensor, "H W 3"], place: EyePlace) -> "EyePhoto | None":
        """None if the photo shows no iris to speak of.

        Args:
            pixels: of the photo.
            place: of the eye in it.
        """
        box = box_around(place, (pixels.shape[0], pixels.shape[1]))
        left, top, right, bottom = box
        if right - left < 4 or bottom - top < 4:
            return None
        inside, upper = lids_over(place, box).unbind(-1)
        place = _centred(place, pixels[top:bottom, left:right], inside, (left, top))
        lit = pixels[top:bottom, left:right] / shadow(inside, upper, place.width)
        found = _iris(lit, inside, place, (left, top))
        if found is None:
            return None
        clean = _without_iris(pixels[top:bottom, left:right], inside, upper, place, (left, top))
        return cls(place, (left, top), clean, *found)


def box_around(
    place: EyePlace, size: tuple[int, int], around: float = AROUND
) -> tuple[int, int, int, int]:
    """The part of a picture around an eye: left, top, right, bottom.

    Args:
        place: of the eye.
        size: height and width of the picture.
        around: how far around the eye, in its widths.
    """
    away = around * place.width
    low, high = place.ring.amin(0) - away, place.ring.amax(0) + away
    (left, top), (right, bottom) = low.floor().int().tolist(), high.ceil().int().tolist()
    return max(left, 0), max(top, 0), min(right, size[1]), min(bottom, size[0])


def lids_over(place: EyePlace, box: tuple[int, int, int, int]) -> Float[Tensor, "h w 2"]:
    """What `from_lids` says of the pixels of a part of a picture.

    Args:
        place: of the eye.
        box: left, top, right and bottom of the part.
    """
    left, top, right, bottom = box
    step = max((right - left) / COLUMNS, 1.0)
    rows, columns = (max(round(n / step), 2) for n in (bottom - top, right - left))
    spacing = place.ring.new_tensor([(right - left) / columns, (bottom - top) / rows])
    nodes = centres(rows, columns, place.ring) * spacing + place.ring.new_tensor([left, top])
    found = from_lids(place.ring, nodes.flatten(0, 1)).reshape(rows, columns, 2)
    return enlarged(found, (bottom - top, right - left))


def shadow(
    inside: Float[Tensor, "h w"], upper: Float[Tensor, "h w"], width: float
) -> Float[Tensor, "h w 1"]:
    """Share of the light that the upper lid lets through.

    Args:
        inside: how far pixels are inside the lids.
        upper: how far from the upper one.
        width: of the eye.
    """
    most, reach = SHADOW
    below = torch.where(inside > 0, upper, 0.0) / (reach * width)
    around = EDGE[0] * torch.exp(-inside.clamp(min=0) / (EDGE[1] * width))
    return ((1 - most * torch.exp(-below)) * (1 - around))[..., None]


def _centred(
    place: EyePlace,
    part: Float[Tensor, "h w 3"],
    inside: Float[Tensor, "h w"],
    corner: tuple[int, int],
) -> EyePlace:
    """The eye with its iris where the photo gets brighter all around; landmarks miss it."""
    light = (part @ part.new_tensor(LUMINANCE))[..., None]
    both = torch.cat([light, inside[..., None] / place.width], dim=-1)
    far, growth, steps = SEARCH
    ticks = torch.linspace(-1, 1, 2 * steps + 1).to(part)
    tries = torch.cartesian_prod(ticks, ticks, ticks)
    for finer in (1.0, 1 / steps):
        scale = tries.new_tensor([far, far, growth]) * finer
        worth = _edge(
            place.ball, both, tries * scale, corner
        ) - LIKELY * finer * tries.square().sum(-1)
        x, y, size = (tries * scale)[worth.argmax()].tolist()
        place = replace(place, ball=_shifted(place.ball, (x, y), 1 + size))
    return place


def _edge(
    ball: Ball, both: Float[Tensor, "h w 2"], tries: Float[Tensor, "t 3"], corner: tuple[int, int]
) -> Float[Tensor, " t"]:
    """How much brighter a picture gets from within the edge of an iris to beyond, where seen."""
    angle = torch.arange(48).to(both) * (2 * pi / 48)
    circle = torch.stack([angle.cos(), angle.sin()], dim=-1)
    middle = ball.screen_of(circle[0] * 0)[:2]
    rings = torch.stack([ball.screen_of(circle * k)[:, :2] - middle for k in (0.82, 1.15)])
    centre = middle - both.new_tensor(corner) + ball.radius * ball.iris * tries[:, :2]
    at = centre[:, None, None] + rings * (1 + tries[:, 2])[:, None, None, None]
    found = look_up(both[None], at.flatten(1, 2)[None], "bilinear")[0].unflatten(1, (2, -1))
    seen = (found[..., 1].amin(1) > RIM).to(both)
    edge = (found[:, 1, :, 0] - found[:, 0, :, 0]).clamp(-0.3, 0.6) * seen
    return edge.sum(-1) / (seen.sum(-1) + 8)


def _shifted(ball: Ball, shift: tuple[float, float], size: float) -> Ball:
    """With its iris elsewhere, by a part of its radius, and so many times as large."""
    middle = ball.screen_of(ball.centre * 0)[:2]
    there = middle + middle.new_tensor(shift) * ball.radius * ball.iris
    return replace(ball, centre=there - (middle - ball.centre) * size, radius=ball.radius * size)


def _iris(
    lit: Float[Tensor, "h w 3"],
    inside: Float[Tensor, "h w"],
    place: EyePlace,
    corner: tuple[int, int],
) -> tuple[Float[Tensor, "n n 3"], Float[Tensor, "n n 3"]] | None:
    """The whole iris and its highlights; what lids hide is as what is opposite or around."""
    ball = place.ball
    count = int(min(max(3 * PATCH * ball.radius * ball.iris, 24), 400))
    iris = (centres(count, count, lit) / count * 2 - 1) * PATCH
    where = ball.screen_of(iris * iris.new_tensor([1.0, -1.0]))
    at = (where[..., :2] - where.new_tensor(corner))[None]
    seen = look_up(lit[None], at)[0].clamp(min=0)
    far = look_up(inside[None, ..., None], at, "bilinear")[0] / place.width
    shown = smoothstep(far, RIM / 3, 2 * RIM) * smoothstep(where[..., 2:], 0.15, 0.3)
    ring = iris.norm(dim=-1) / PATCH
    usual = _profile(seen, shown[..., 0] > 0.5, ring)
    if usual is None:
        return None
    bright = ((seen - usual) @ seen.new_tensor(LUMINANCE))[..., None]
    white = (seen - usual).amin(-1, keepdim=True)  # a highlight has the colour of the light
    glint = smoothstep(white, *GLINT) * smoothstep(ring[..., None] * PATCH, *INNER) * (shown > 0)
    lashes = smoothstep(-bright, *GLINT) * smoothstep(ring[..., None] * PATCH, *INNER[::-1])
    own = shown * (1 - smoothstep(_spread(torch.maximum(glint, lashes)), 0.0, 0.3))
    other, opposite = seen.flip(0), own.flip(0)
    whole = torch.lerp(torch.lerp(usual, other, opposite), seen, own)
    return whole, (seen - whole).clamp(min=0) * glint * smoothstep(far, 0.0, RIM)


def _profile(
    seen: Float[Tensor, "n n 3"], shown: Bool[Tensor, "n n"], ring: Float[Tensor, "n n"]
) -> Float[Tensor, "n n 3"] | None:
    """The usual colour at each distance from the centre of the iris."""
    number = (ring * ROUND).long()
    known, colours = [], []
    for k in range(ROUND):
        chosen = seen[shown & (number == k)]
        if len(chosen) >= 3:
            order = (chosen @ chosen.new_tensor(LUMINANCE)).argsort()
            middle = order[len(order) // 4 : max(len(order) * 2 // 3, len(order) // 4 + 1)]
            known.append(k + 0.5)
            colours.append(chosen[middle].mean(0))
    if not any(k / ROUND * PATCH < 0.8 for k in known):
        return None
    table, have = _dark_within(torch.stack(colours), known), seen.new_tensor(known)
    nearest = torch.searchsorted(have, ring.flatten() * ROUND).clamp(max=len(have) - 1)
    before = (nearest - 1).clamp(min=0)
    gap = (have[nearest] - have[before]).clamp(min=1e-6)
    share = ((ring.flatten() * ROUND - have[before]) / gap).clamp(0, 1)
    return torch.lerp(table[before], table[nearest], share[:, None]).reshape(seen.shape)


def _dark_within(table: Float[Tensor, "k 3"], known: list[float]) -> Float[Tensor, "k 3"]:
    """Colours of rings where none of the pupil is brighter than the next: a highlight is not it."""
    light = (table @ table.new_tensor(LUMINANCE)).tolist()
    order = list(range(len(known)))
    for k in reversed(range(len(known) - 1)):
        if known[k] / ROUND * PATCH < PUPIL and light[order[k]] > light[order[k + 1]]:
            order[k] = order[k + 1]
    return table[order]


def _without_iris(
    part: Float[Tensor, "h w 3"],
    inside: Float[Tensor, "h w"],
    upper: Float[Tensor, "h w"],
    place: EyePlace,
    corner: tuple[int, int],
) -> Float[Tensor, "h w 3"]:
    """Sclera where the iris is."""
    here = centres(inside.shape[0], inside.shape[1], part) + part.new_tensor(corner)
    shade = shadow(inside, upper, place.width) * (1 - ROUNDED * (1 - place.ball.front(here)))
    away = place.ball.iris_at(here).norm(dim=-1)
    light = (part / shade) @ part.new_tensor(LUMINANCE)
    sclera = (inside > RIM * place.width) & (away > PATCH)
    if not bool(sclera.any()):
        sclera = (inside > 0) & (away > 1.1)
    if not bool(sclera.any()):
        return part
    sclera &= light >= WHITE * light[sclera].quantile(0.75)
    weight = sclera[..., None].to(part)
    radius = max(round(0.05 * place.width), 1)
    mean = _mean(part / shade * weight, radius) / _mean(weight, radius).clamp(min=1e-6)
    grey = mean.mean(-1, keepdim=True)
    mean = torch.minimum(torch.maximum(mean, grey / TINT), grey * TINT)
    filled = membrane(mean, sclera) * shade
    hidden = (inside > RIM * place.width) & (away < PATCH)
    if bool(hidden.any()):  # no brighter than what is seen
        usual = [(each @ part.new_tensor(LUMINANCE)) for each in (part[sclera], filled[hidden])]
        filled = filled * min(float(usual[0].quantile(0.75) / usual[1].quantile(0.75)), 1.0)
    part, filled = _lightened((part, filled), inside, upper, (away, place))
    covered = smoothstep(inside / place.width, RIM / 2, -RIM / 2)  # lids may open further
    share = torch.maximum(smoothstep(away, PATCH + 0.1, PATCH - 0.1), covered)
    return torch.lerp(part, filled, share[..., None])


def _lightened(
    eye: tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"]],
    inside: Float[Tensor, "h w"],
    upper: Float[Tensor, "h w"],
    at: tuple[Float[Tensor, "h w"], EyePlace],
) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"]]:
    """A part and its sclera, which is not far darker than the skin below the eye.

    In eyes that are narrow or deep the photo shows hardly any white: what it shows there is lids.
    """
    (part, filled), (away, place) = eye, at
    weights, far = part.new_tensor(LUMINANCE), inside / place.width
    below = (far < UNDER[0]) & (far > UNDER[1]) & (upper > place.openness * place.width)
    sclera = (far > RIM) & (away < PATCH)
    if not bool(below.any() and sclera.any()):
        return eye
    skin, white = (values @ weights for values in (part[below], filled[sclera]))
    gain = (WHITEST[0] * skin.median() / white.median().clamp(min=0.02)).clamp(1, WHITEST[1])
    grey = ((gain - 1) / (WHITEST[1] - 1)) * 0.5
    share = smoothstep(far, 0.0, 2 * RIM)[..., None]
    lighter = [torch.lerp(v, (v @ weights)[..., None].expand_as(v), grey) * gain for v in eye]
    return torch.lerp(part, lighter[0], share), lighter[1]


def _mean(values: Float[Tensor, "h w C"], radius: int) -> Float[Tensor, "h w C"]:
    box = (2 * radius + 1, 2 * radius + 1)
    both = np.concatenate([values.numpy(), np.ones((*values.shape[:2], 1), np.float32)], -1)
    for _ in range(2):
        sums = cv2.boxFilter(both, -1, box, normalize=False, borderType=cv2.BORDER_CONSTANT)
        both = np.asarray(sums / sums[..., -1:], np.float32)
    return torch.from_numpy(both[..., :-1])


def _spread(values: Float[Tensor, "n n 1"]) -> Float[Tensor, "n n 1"]:
    """The largest nearby."""
    reach = max(len(values) // 30, 1)
    planes = values.movedim(-1, 0)[None]
    return torch.nn.functional.max_pool2d(planes, 2 * reach + 1, 1, reach)[0].movedim(0, -1)
