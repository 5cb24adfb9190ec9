"""Expressions by name in the coefficients of a model, and lids that follow the gaze."""

from collections.abc import Mapping
from dataclasses import replace
from math import radians

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.edit.names import unknown
from morphface.edit.presets import ARKIT_NAMES
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["clamped", "full_expression", "lid_columns", "with_gaze", "with_weights"]

_LIDS_FULL = radians(30.0)
"""The gaze that `eyeLook` weights of 1 belong to."""


def full_expression(parameters: FaceParameters, model: MorphableModel) -> Float[Tensor, "T E"]:
    """The expression with all coefficients of the model: those that are missing are zero."""
    missing = model.expression.rank - parameters.expression.shape[1]
    return torch.nn.functional.pad(parameters.expression, (0, missing))


def clamped(expression: Float[Tensor, "T E"], model: MorphableModel) -> Float[Tensor, "T E"]:
    """The expression within the bounds of the model."""
    low, high = model.expression.bounds.to(expression).unbind(-1)
    return torch.minimum(torch.maximum(expression, low), high)


def with_weights(
    parameters: FaceParameters,
    model: MorphableModel,
    weights: Mapping[str, Float[Tensor, "#T"]],
    *,
    additive: bool = False,
) -> FaceParameters:
    """The face with some expressions set, or added, by name.

    Args:
        parameters: of the face.
        model: that they belong to.
        weights: by the model's own names, or the ARKit names.
        additive: add to what is there, and clamp to the bounds.

    Raises:
        ParameterError: a name is unknown, or a weight out of bounds.
    """
    own = {name: column for column, name in enumerate(model.expression.names)}
    for name, value in weights.items():
        _check(name, value, model, own, additive)
    expression = full_expression(parameters, model).clone()
    projected = {name: value for name, value in weights.items() if name not in own}
    if projected:
        expression += _projected(parameters, model, projected, additive)
    for name in weights.keys() & own.keys():
        value, column = weights[name].to(expression), own[name]
        expression[:, column] = value + (expression[:, column] if additive else 0.0)
    if additive or projected:
        expression = clamped(expression, model)
    return replace(parameters, expression=expression)


def with_gaze(
    parameters: FaceParameters, model: MorphableModel, gaze: Float[Tensor, "T 2 2"]
) -> FaceParameters:
    """The face that looks elsewhere; the lids follow if the model has `eyeLook` expressions.

    The lids change by what the gaze changes, so that the same gaze leaves them where they are.

    Args:
        parameters: of the face.
        model: that they belong to.
        gaze: (yaw, pitch) in radians of the left and the right eye, relative to the head.
    """
    columns = lid_columns(model)
    if not columns:
        return replace(parameters, gaze=gaze)
    expression = full_expression(parameters, model).clone()
    change = _lids(gaze) - _lids(parameters.gaze)
    expression[:, columns] = (expression[:, columns] + change.to(expression)).clamp(0.0, 1.0)
    return replace(parameters, gaze=gaze, expression=expression)


def lid_columns(model: MorphableModel) -> list[int]:
    """The model's eight `eyeLook` expressions, in the order of `_lids`; none if one is missing."""
    names = [
        f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("Out", "In", "Up", "Down")
    ]
    own = model.expression.names
    return [own.index(name) for name in names] if set(names) <= set(own) else []


def _lids(gaze: Float[Tensor, "T 2 2"]) -> Float[Tensor, "T 8"]:
    """Weights of out, in, up and down for the left eye, then for the right one."""
    yaw, pitch = gaze.unbind(-1)
    out = yaw * yaw.new_tensor([1.0, -1.0])
    parts = torch.stack([out, -out, pitch, -pitch], dim=-1) / _LIDS_FULL
    return parts.clamp(0.0, 1.0).flatten(1)


def _check(
    name: str, value: Tensor, model: MorphableModel, own: Mapping[str, int], additive: bool
) -> None:
    if name in own:
        low, high = model.expression.bounds[own[name]].tolist()
    elif name in ARKIT_NAMES:
        low, high = 0.0, 1.0
    else:
        raise ParameterError(unknown("expression", name, dict.fromkeys((*own, *ARKIT_NAMES))))
    if additive:
        low, high = low - high, high - low
    least, most = float(value.min()), float(value.max())
    if least < low or most > high:
        worst = least if least < low else most
        raise ParameterError(f"{name} must be from {low:g} to {high:g}, got {worst:g}")


def _projected(
    parameters: FaceParameters,
    model: MorphableModel,
    weights: Mapping[str, Tensor],
    additive: bool,
) -> Float[Tensor, "T E"]:
    """What ARKit weights add to the coefficients of a model without these names."""
    from morphface.models.conversion import arkit_directions, arkit_weights

    directions = arkit_directions(model)
    now = {} if additive else arkit_weights(parameters, model)
    added = torch.zeros(parameters.frames, model.expression.rank)
    for name, value in weights.items():
        added += (value - now.get(name, 0.0)).expand(len(added))[:, None] * directions[name]
    return added
