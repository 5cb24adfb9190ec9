"""What is between lids: the photo's own iris where it looks now, sclera where it was."""

from collections.abc import Sequence
from dataclasses import replace
from math import degrees

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.render.warp import look_up
from morphface.rerender.eye_photo import PATCH, EyePhoto, shadow
from morphface.rerender.eye_place import EyePlace, angle_between
from morphface.rerender.lid_skin import DENSE

__all__ = ["between_lids"]

BEGINNING = 1.5
"""Degrees of an eye's turn from which it is drawn wholly anew."""
HIDDEN = 0.03
"""How far inside the lids of the photo, in widths of the eye, they may still hide it."""
LIMBUS = 1.2, 1.0
"""Radii of the iris between which it gives way to sclera."""


def between_lids(
    photo: Float[Tensor, "h w 3"],
    seen: EyePhoto,
    after: EyePlace,
    places: tuple[Float[Tensor, "h w 2"], Float[Tensor, "h w 2"]],
    openings: Sequence[tuple[Tensor, Tensor]],
) -> Float[Tensor, "h w 3"]:
    """What is between the lids.

    Args:
        photo: what the photo has there.
        seen: the eye of the photo.
        after: where it is.
        places: the pixels, in the picture and in the photo.
        openings: how far these are inside the lids and below the upper one, in widths of the eye;
            now, and in the photo.
    """
    here, place = places
    light, before = (
        shadow(inside * after.width, below * after.width, after.width) for inside, below in openings
    )
    clean = look_up(seen.clean[None], (place - place.new_tensor(seen.corner))[None])[0]
    whole = _with_iris(clean * (light / before), seen, after, here, light)
    whole = whole + _glint(seen, after, here)
    turned = min(degrees(angle_between(seen.place.ball, after.ball)) / BEGINNING, 1.0)
    inside, below = openings[1]
    opened = smoothstep(openings[0][0] - inside, 0.0, HIDDEN / 2)
    hidden = smoothstep(inside, HIDDEN, 0.0) * opened
    # Where lids open further, the lashes of the photo are before the eye.
    further = smoothstep(openings[0][1] - below, 0.0, HIDDEN) * smoothstep(below, DENSE, HIDDEN)
    hidden = torch.maximum(hidden, further)[..., None]
    dimmed = torch.where(openings[1][0][..., None] > 0, light / before, 1.0)
    return torch.lerp(photo * dimmed, whole, hidden.clamp(min=turned))


def _with_iris(
    clean: Float[Tensor, "h w 3"],
    seen: EyePhoto,
    after: EyePlace,
    here: Float[Tensor, "h w 2"],
    light: Float[Tensor, "h w 1"],
) -> Float[Tensor, "h w 3"]:
    """The eye with its iris where it looks now."""
    iris = after.ball.iris_at(here)
    return torch.lerp(
        clean,
        _patch(seen.iris, iris) * light,
        smoothstep(iris.norm(dim=-1, keepdim=True), *LIMBUS),
    )


def _glint(seen: EyePhoto, after: EyePlace, here: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 3"]:
    """Highlights, half as far from where they were as the iris is."""
    place = seen.place
    was, now = place.ball.screen_of(here.new_zeros(2)), after.ball.screen_of(here.new_zeros(2))
    there = (now + was)[:2] / 2 + (after.ball.centre - place.ball.centre) / 2
    back = replace(place.ball, centre=place.ball.centre + there - was[:2])
    on = smoothstep(after.ball.iris_at(here).norm(dim=-1, keepdim=True), *LIMBUS)
    return on * _patch(seen.glint, back.iris_at(here))


def _patch(patch: Float[Tensor, "n n 3"], iris: Float[Tensor, "h w 2"]) -> Float[Tensor, "h w 3"]:
    """Colours of a patch of the iris; beyond it, those of its border."""
    flat = iris * iris.new_tensor([1.0, -1.0]) / PATCH
    return look_up(patch[None], ((flat + 1) / 2 * len(patch))[None])[0]
