"""An eye that a photo does not show, as the fitted person would have it: for lids that open."""

from math import pi

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.geometry.spherical_harmonics import irradiance
from morphface.render.warp import centres
from morphface.rerender.eye_photo import PATCH, EyePhoto, box_around, shadow
from morphface.rerender.eye_place import EyePlace
from morphface.rerender.looks import DIMMEST
from morphface.rerender.seen_head import SeenHead

__all__ = ["imagined_eye"]

PUPIL = 0.36
"""Radius of a pupil in radii of the iris, as in a room by day."""
RING = 0.8, 1.0
"""Radii between which an iris gets darker towards its edge."""
STREAKS = (17, 0.10), (31, 0.07), (53, 0.05)
"""How many streaks an iris has around, and how much brighter or darker they are."""
FINE = 100
"""Pixels of an iris from which its streaks are wholly seen."""
GLINT = (-0.25, 0.3), 0.13
"""Where on an iris a highlight is, and its radius."""
USUAL = {"iris": (0.25, 0.16, 0.1), "sclera": (0.8, 0.75, 0.72)}
"""Albedo of the parts of an eye in models without colours of these."""


def imagined_eye(head: SeenHead, place: EyePlace) -> EyePhoto:
    """The eye in the fitted colours.

    Args:
        head: that was fitted, and its photo.
        place: of the eye, whose lids are closed.
    """
    front = place.ring.new_tensor([[0.0, 0.0, 1.0]])
    light = irradiance(head.look.light, front)[0].clamp(DIMMEST, 1.1)
    iris, white = (_albedo(head, name) * light for name in ("iris", "sclera"))
    left, top, right, bottom = box_around(place, head.photo.size)
    here = centres(max(bottom - top, 1), max(right - left, 1), light) + light.new_tensor(
        [left, top]
    )
    nothing = torch.full(here.shape[:2], -1.0)
    round_ = 0.75 + 0.25 * place.ball.front(here)
    clean = white * round_ * shadow(nothing, nothing, place.width)  # as if lids were before it
    count = int(min(max(3 * PATCH * place.ball.radius * place.ball.iris, 24), 400))
    at = (centres(count, count, light) / count * 2 - 1) * PATCH * light.new_tensor([1.0, -1.0])
    return EyePhoto(place, (left, top), clean, _iris(at, iris, white), _glint(at, light))


def _albedo(head: SeenHead, name: str) -> Float[Tensor, "3"]:
    region = head.face.model.regions.get(name)
    if region is None or not bool((region > 0.5).any()):
        return torch.tensor(USUAL[name])
    return head.face.albedo()[region > 0.5].mean(0)


def _iris(at: Float[Tensor, "n n 2"], iris: Tensor, white: Tensor) -> Float[Tensor, "n n 3"]:
    """Its colours, with streaks from the pupil outwards, and sclera around it."""
    far = at.norm(dim=-1, keepdim=True)
    angle = torch.atan2(at[..., 1:], at[..., :1])
    light, fine = torch.ones_like(far), min(len(at) / FINE, 1.0)
    for number, (count, strength) in enumerate(STREAKS):
        bent = angle * count + 2 * pi * 0.37 * number + 3 * torch.sin(4 * far + number)
        light = light + fine * strength * torch.sin(bent)
    light = (
        light * (1 - 0.35 * smoothstep(far, *RING)) * smoothstep(far, PUPIL - 0.04, PUPIL + 0.06)
    )
    return torch.lerp(iris * light, white.expand(*far.shape[:2], 3), smoothstep(far, 1.0, 1.1))


def _glint(at: Float[Tensor, "n n 2"], light: Tensor) -> Float[Tensor, "n n 3"]:
    (x, y), radius = GLINT
    far = (at - at.new_tensor([x, y])).norm(dim=-1, keepdim=True)
    return 0.8 * light.clamp(max=1) * smoothstep(far, radius, 0.6 * radius)
