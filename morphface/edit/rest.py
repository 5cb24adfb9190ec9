"""What a person's face does when it does nothing.

A tracked face at rest has no zero coefficients: what the identity cannot show, the expression
does. So the neutral of a sequence is estimated from it, where it is long enough to tell.
"""

from collections.abc import Collection
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.edit.frames import GROUPS
from morphface.edit.openings import Openings, openings_of
from morphface.edit.pose import arm, head_centre
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


def neutral(
    parameters: FaceParameters,
    model: MorphableModel | None = None,
    *,
    groups: Collection[str] = GROUPS,
) -> FaceParameters:
    """One frame: mean pose and gaze, mean light, and the resting expression.

    A coefficient rests where a quarter of the frames is closest together. Weights from 0 up
    are looked at from below, since an expression adds to them: the nearer to 0, the likelier they
    rest. Sequences of fewer than 25
    frames cannot tell rest from expression: theirs is no expression.

    Args:
        parameters: of a sequence.
        model: that they belong to; None means the open head.
        groups: to look at; the others stay those of the first frame.
    """
    head = model or load_model("open-head")
    rows: dict[str, Tensor] = {}
    if "expression" in groups:
        rows["expression"] = _resting_expression(parameters, head)
    if "illumination" in groups:
        rows["illumination"] = parameters.illumination.mean(dim=0, keepdim=True)
    if "gaze" in groups:
        rows["gaze"] = mean(Directions(), parameters.gaze)
    if "rotation" in groups:
        rows["rotation"] = mean(Rotations(), parameters.rotation)
    still, centre = parameters[0], head_centre(parameters)
    centre = mean(Places(), centre) if "translation" in groups else centre[:1]
    rows["translation"] = centre - arm(rows.get("rotation", still.rotation))
    return replace(still, **rows)


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


def _resting_expression(parameters: FaceParameters, model: MorphableModel) -> Float[Tensor, "1 E"]:
    expression = full_expression(parameters, model)
    if parameters.frames < ENOUGH:
        return torch.zeros_like(expression[:1])
    return _rest(expression, model.expression.bounds[:, 0] == 0.0)[None]


def _gaps(parameters: FaceParameters, model: MorphableModel) -> Openings | None:
    whole = replace(parameters, expression=full_expression(parameters, model))
    return openings_of(whole, model)


def _rest(values: Float[Tensor, "T K"], from_below: Tensor) -> Float[Tensor, " K"]:
    """The middle of the shortest interval that holds a quarter of the frames, in each column.

    What is looked at from below counts by its distance from zero, too: who hardly ever has a face
    at rest would otherwise rest where an expression is seen most.
    """
    ordered = values.T.contiguous().sort(dim=1).values
    frames = ordered.shape[1]
    count = -(-frames // _SHARE)
    low, high = ordered[:, : frames - count + 1], ordered[:, count - 1 :]
    cost = high - low + from_below[:, None] * (high + low) / 2
    late = torch.arange(cost.shape[1]) >= frames // 2 - count // 2
    start = cost.masked_fill(late & from_below[:, None], torch.inf).argmin(dim=1)
    row = torch.arange(len(ordered))[:, None]
    return ordered[row, start[:, None] + torch.arange(count)].mean(dim=1)
