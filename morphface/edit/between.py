"""From one face to another, step by step."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite
from morphface.core.errors import ParameterError, ShapeError
from morphface.edit.frames import GROUPS, repeated
from morphface.edit.pose import head_centre, with_head_centre
from morphface.edit.spaces import Directions, Rotations, Space
from morphface.parameters import FaceParameters

__all__ = ["interpolate"]


def interpolate(
    a: FaceParameters, b: FaceParameters, t: float | Sequence[float] | Tensor
) -> FaceParameters:
    """The face between two faces: `a` where `t` is 0, `b` where it is 1.

    The head turns the short way at an even speed, about the joint of skull and neck, and the
    eyes move along great circles; everything else is on a straight line.

    Args:
        a: in one frame or T.
        b: of the same model, in one frame or T.
        t: one number from 0 to 1, or one for each frame. With several, `a` and `b` must be
            the same person, since a sequence has one identity.

    Raises:
        ParameterError: `t` is out of range or not finite, or the people differ.
        ShapeError: the parameters are of different models, or numbers of frames differ.
    """
    share = torch.as_tensor(t, dtype=torch.float32).detach()
    if share.ndim > 1 or not share.numel():
        raise ShapeError(f"t must be a number or one a frame, got shape {tuple(share.shape)}")
    check_finite("t", share)
    if float(share.min()) < 0 or float(share.max()) > 1:
        worst = float(share.min()) if float(share.min()) < 0 else float(share.max())
        raise ParameterError(f"t must be from 0 to 1, got {worst:g}")
    _check_alike(a, b)
    person = {name: _person(name, a, b, share) for name in ("identity", "reflectance")}
    share = share.reshape(-1)
    frames = max(a.frames, b.frames, len(share))
    if any(count not in (1, frames) for count in (a.frames, b.frames, len(share))):
        raise ShapeError(
            f"a has {a.frames} frames, b {b.frames} and t {len(share)} values; "
            "each must be 1 or the same number"
        )
    here, there = replace(repeated(a, frames), **person), repeated(b, frames)
    share = share.expand(frames)
    moved = {name: _straight(name, here, there, share) for name in GROUPS}
    moved["gaze"] = _along(Directions(), here.gaze, there.gaze, share)
    rotation = _along(Rotations(), here.rotation, there.rotation, share)
    centre = torch.lerp(head_centre(here), head_centre(there), share[:, None])
    return with_head_centre(replace(here, **moved), rotation, centre)


def _check_alike(a: FaceParameters, b: FaceParameters) -> None:
    for name in ("identity", "expression", "reflectance"):
        counts = tuple(getattr(face, name).shape[1] for face in (a, b))
        if counts[0] != counts[1]:
            raise ShapeError(
                f"a and b must belong to one model, but have {counts[0]} and {counts[1]} "
                f"coefficients of {name}; convert one with convert_parameters"
            )


def _person(name: str, a: FaceParameters, b: FaceParameters, share: Tensor) -> Float[Tensor, "1 K"]:
    here, there = getattr(a, name), getattr(b, name)
    if torch.equal(here, there):
        return here
    if share.ndim:
        raise ParameterError(
            f"a and b differ in {name}, of which a sequence has one; pass one t at a time"
        )
    return torch.lerp(here, there, share)


def _straight(
    name: str, a: FaceParameters, b: FaceParameters, share: Float[Tensor, " T"]
) -> Tensor:
    here, there = getattr(a, name), getattr(b, name)
    return torch.lerp(here, there, share.reshape(-1, *[1] * (here.ndim - 1)))


def _along(space: Space, here: Tensor, there: Tensor, share: Float[Tensor, " T"]) -> Tensor:
    weight = share.reshape(-1, *[1] * (here.ndim - 1))
    return space.back(weight * space.away(there, here), here)
