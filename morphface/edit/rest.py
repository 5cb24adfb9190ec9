"""What a person's face does when it does nothing.

A tracked face at rest has no zero coefficients: what the identity cannot show, the expression
does. So the neutral of a sequence is estimated from it, where it is long enough to tell.
"""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.edit.openings import Openings, openings_of
from morphface.edit.pose import head_centre, with_head_centre
from morphface.edit.spaces import Directions, Places, Rotations, mean
from morphface.edit.weights import full_expression
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters

__all__ = ["ENOUGH", "closest_frame", "neutral", "resting_gaps"]

ENOUGH = 25
"""Frames from which a sequence tells what its neutral is."""
_SHARE = 4
"""One frame in so many is at rest, at least."""
_NARROW = 0.5
"""An eye that is open by less than this share of the other one winks."""
_SHUT = 0.25
"""Eyes that are open by less than this share of the identity's own opening are closed."""
_SCALES = (0.17, 2.0, 4.0)
"""What counts alike in a comparison of frames: radians of pose, mm of the eyes and of the mouth."""


def neutral(parameters: FaceParameters, model: MorphableModel | None = None) -> FaceParameters:
    """One frame: mean pose and gaze, mean light, and the resting expression.

    A coefficient rests where a quarter of the frames is closest together. Weights from 0 up
    are looked at from below, since an expression adds to them. Sequences of fewer than 25
    frames cannot tell rest from expression: theirs is no expression.

    Args:
        parameters: of a sequence.
        model: that they belong to; None means the open head.
    """
    head = model or load_model("open-head")
    expression = full_expression(parameters, head)
    if parameters.frames < ENOUGH:
        rest = torch.zeros_like(expression[:1])
    else:
        rest = _rest(expression, head.expression.bounds[:, 0] == 0.0)[None]
    still = replace(
        parameters[0],
        expression=rest,
        illumination=parameters.illumination.mean(dim=0, keepdim=True),
        gaze=mean(Directions(), parameters.gaze),
    )
    centre = mean(Places(), head_centre(parameters))
    return with_head_centre(still, mean(Rotations(), parameters.rotation), centre)


def closest_frame(
    parameters: FaceParameters, other: FaceParameters, model: MorphableModel | None = None
) -> int:
    """The frame whose pose and openings of eyes and mouth are most like those of a face.

    Args:
        parameters: of a sequence.
        other: of one frame, of the same or another person.
        model: that both belong to; None means the open head.
    """
    head = model or load_model("open-head")
    angle = Rotations().away(parameters.rotation, other.rotation).norm(dim=-1)
    distance = (angle / _SCALES[0]).square()
    here, there = (_gaps(face, head) for face in (parameters, other))
    if here is not None and there is not None:
        scale = here.gaps.new_tensor([_SCALES[1], _SCALES[1], _SCALES[2]])
        distance = distance + ((here.gaps - there.gaps) / scale).square().sum(dim=-1)
    return int(distance.argmin())


def resting_gaps(openings: Openings) -> Float[Tensor, "2"]:
    """How far the left and the right eye are open at rest, in millimetres.

    Few frames say it by the widest opening; an eye that winks rests as the other one does.
    """
    gaps, own = openings.gaps[:, :2], openings.neutral[:2].clamp(min=1.0)
    if len(gaps) >= ENOUGH:
        found = _rest(gaps, torch.zeros(2, dtype=torch.bool))
    else:
        found = gaps.amax(dim=0)
        found = torch.where(found < _NARROW * found.flip(0), found.flip(0), found)
    return torch.where(found < _SHUT * own, own, found)


def _gaps(parameters: FaceParameters, model: MorphableModel) -> Openings | None:
    whole = replace(parameters, expression=full_expression(parameters, model))
    return openings_of(whole, model)


def _rest(values: Float[Tensor, "T K"], from_below: Tensor) -> Float[Tensor, " K"]:
    """The middle of the shortest interval that holds a quarter of the frames, in each column."""
    ordered = values.sort(dim=0).values
    count = -(-len(ordered) // _SHARE)
    width = ordered[count - 1 :] - ordered[: len(ordered) - count + 1]
    late = torch.arange(len(width))[:, None] >= len(ordered) // 2 - count // 2
    start = width.masked_fill(late & from_below.to(late.device), torch.inf).argmin(dim=0)
    total = torch.nn.functional.pad(ordered.double().cumsum(dim=0), (0, 0, 1, 0))
    column = torch.arange(ordered.shape[1])
    return ((total[start + count, column] - total[start, column]) / count).to(values)
