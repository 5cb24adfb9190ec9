"""Editing a face by the names of what shall change.

Angles are in degrees here, since this is where people type them; what is stored stays in radians.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import radians

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.edit.frames import repeated
from morphface.edit.light import Light
from morphface.edit.pose import turned_to
from morphface.edit.presets import ARKIT_NAMES, with_presets
from morphface.edit.weights import with_gaze, with_weights
from morphface.geometry.angles import angles_to_rotvec, rotvec_to_angles
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["GAZE_LIMITS", "Identity", "Value", "edit"]

Value = float | Sequence[float] | Tensor
"""One number for all frames, or one a frame."""
Identity = Mapping[int, float] | Sequence[float] | Tensor
Preset = str | Mapping[str, float]
Lighting = float | Light | Tensor

GAZE_LIMITS = (50.0, 40.0)
"""How far eyes turn to a side, and up or down, in degrees."""
_POSE_LIMITS = {"yaw": 180.0, "pitch": 90.0, "roll": 180.0}
_FURTHEST = 5.0


def edit(
    parameters: FaceParameters,
    *,
    model: MorphableModel | None = None,
    expression: Mapping[str, Value] | None = None,
    preset: Preset | None = None,
    yaw: Value | None = None,
    pitch: Value | None = None,
    roll: Value | None = None,
    gaze: Sequence[float] | Tensor | None = None,
    light: Lighting | None = None,
    identity: Identity | None = None,
    additive: bool = False,
) -> FaceParameters:
    """The face with some things changed, the rest as it was.

    Each value is one number, or one for each frame; one frame becomes as many as there are
    values, so that `yaw=torch.linspace(-30, 30, 61)` is a turn of the head.

    Args:
        parameters: of the face.
        model: that they belong to; None means the open head.
        expression: weights by name. The 52 ARKit names serve every model: one that has no
            expressions of these names is moved as the open head would move. Other names are
            the model's own.
        preset: name of an expression in `PRESETS`, or several names with their strengths.
            In the groups that `REPLACED` names (of most presets, the mouth and the brows), what
            is there gives way as far as a preset is strong; elsewhere the stronger counts.
            Weights in `expression` come before those of presets.
        yaw: of the head, in degrees; positive turns it to the subject's left, image right. The
            head turns about the joint of skull and neck, so that it stays in its place.
        pitch: of the head, in degrees; positive looks up.
        roll: of the head, in degrees; positive tilts it counter-clockwise in the image.
        gaze: (yaw, pitch) in degrees relative to the head: two numbers for both eyes, T 2 for
            both eyes in each frame, or T 2 2 for the left and the right eye. The lids follow
            where the model has the `eyeLook` expressions.
        light: a factor of its brightness, a `Light`, or coefficients 9 3 or T 9 3, as `lamp`
            makes them.
        identity: coefficients in standard deviations: some by their index, or all of them.
        additive: add to what is there, rather than set it, presets too: weights are clamped to
            their bounds and the gaze to what eyes can do, rotations are composed (the change turns
            the head in the camera frame).

    Raises:
        ParameterError: a name is unknown, or a value is out of its bounds or not finite.
        ShapeError: numbers of values and frames differ, or the parameters are of another model.
    """
    head = _model(model, parameters)
    weights = {n: _values(n, v) for n, v in (expression or {}).items()}
    if preset is not None:
        weights = _preset(parameters, head, preset, additive) | weights
    angles = {n: _values(n, v) for n, v in _given(yaw=yaw, pitch=pitch, roll=roll).items()}
    sight = None if gaze is None else _sight(gaze)
    lamp = light if isinstance(light, Tensor) else None
    many = {"gaze": sight, "light": None if lamp is None or lamp.ndim < 3 else lamp}
    parameters = _enough(parameters, weights | angles | _given(**many))
    if identity is not None:
        changed = _identity(parameters.identity, identity, additive)
        parameters = replace(parameters, identity=changed)
    if weights:
        parameters = with_weights(parameters, head, weights, additive=additive)
    if sight is not None:
        sight = sight.deg2rad() + (parameters.gaze if additive else 0.0)
        reach = torch.tensor([radians(limit) for limit in GAZE_LIMITS])
        wanted = torch.minimum(torch.maximum(sight, -reach), reach).expand_as(parameters.gaze)
        parameters = with_gaze(parameters, head, wanted)
    if angles:
        parameters = turned_to(parameters, _rotation(parameters.rotation, angles, additive))
    return parameters if light is None else _lit(parameters, light, additive)


def _model(model: MorphableModel | None, parameters: FaceParameters) -> MorphableModel:
    """The model, of which the parameters must be."""
    from morphface.models import load_model

    head = model or load_model("open-head")
    given = (parameters.identity.shape[1], parameters.expression.shape[1])
    if given[0] > head.identity.rank or given[1] > head.expression.rank:
        raise ShapeError(
            f"the parameters have {given[0]} identity and {given[1]} expression coefficients, "
            f"but model {head.name!r} has {head.identity.rank} and {head.expression.rank}; "
            "pass the model that they belong to as model="
        )
    return head


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _preset(
    parameters: FaceParameters, model: MorphableModel, chosen: Preset, additive: bool
) -> dict[str, Tensor]:
    """The weights of presets for this face, or what they add to any."""
    from morphface.models.conversion import arkit_weights

    strengths = {chosen: 1.0} if isinstance(chosen, str) else chosen
    if additive:
        nothing = dict.fromkeys(ARKIT_NAMES, torch.zeros(1))
        return {n: v for n, v in with_presets(nothing, strengths).items() if v.any()}
    return with_presets(arkit_weights(parameters, model), strengths)


def _values(name: str, value: object) -> Float[Tensor, "#T"]:
    numbers = _tensor(name, value)
    if numbers.ndim > 1 or not numbers.numel():
        raise ShapeError(f"{name} must be a number or one for each frame, got {_shape(numbers)}")
    limit = _POSE_LIMITS.get(name)
    if limit is not None:
        _check_within(name, numbers, limit)
    return numbers.reshape(-1)


def _tensor(name: str, value: object) -> Tensor:
    try:
        numbers = torch.as_tensor(value, dtype=torch.float32).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ParameterError(f"{name} must be numbers, got {value!r}") from error
    check_finite(name, numbers)
    return numbers


def _shape(value: Tensor) -> str:
    return f"shape {tuple(value.shape)}"


def _check_within(name: str, values: Tensor, limit: float) -> None:
    worst = float(values.flatten()[values.abs().argmax()])
    if abs(worst) > limit:
        raise ParameterError(f"{name} must be from {-limit:g} to {limit:g} degrees, got {worst:g}")


def _sight(gaze: Sequence[float] | Tensor) -> Float[Tensor, "#T #2 2"]:
    angles = _tensor("gaze", gaze)
    if not 1 <= angles.ndim <= 3 or angles.shape[-1] != 2 or not angles.numel():
        raise ShapeError(f"gaze must be 2, T 2 or T 2 2 numbers, got {_shape(angles)}")
    if angles.ndim == 3:
        check_shape("gaze", angles, None, 2, 2)
    for name, limit, values in zip(
        ("gaze yaw", "gaze pitch"), GAZE_LIMITS, angles.unbind(-1), strict=True
    ):
        _check_within(name, values, limit)
    return angles.reshape(-1, 1, 2) if angles.ndim < 3 else angles


def _enough(parameters: FaceParameters, values: Mapping[str, object]) -> FaceParameters:
    """As many frames as there are values."""
    frames = parameters.frames
    for name, value in values.items():
        count = len(value) if isinstance(value, Tensor) else 1
        if count in (1, frames):
            continue
        if frames > 1:
            raise ShapeError(
                f"{name} has {count} values, but there are {frames} frames; "
                "give one value, or one for each frame"
            )
        frames = count
    return repeated(parameters, frames)


def _rotation(
    rotation: Float[Tensor, "T 3"], angles: Mapping[str, Tensor], additive: bool
) -> Float[Tensor, "T 3"]:
    start = torch.zeros_like(rotation) if additive else rotvec_to_angles(rotation)
    parts = dict(zip(_POSE_LIMITS, start.unbind(-1), strict=True))
    for name, value in angles.items():
        parts[name] = value.deg2rad().to(rotation).expand(len(rotation))
    turn = angles_to_rotvec(torch.stack(list(parts.values()), dim=-1))
    return roma.rotvec_composition([turn, rotation]) if additive else turn


def _identity(here: Float[Tensor, "1 I"], wanted: Identity, additive: bool) -> Float[Tensor, "1 I"]:
    count = here.shape[1]
    if not isinstance(wanted, Mapping):
        row = _tensor("identity", wanted).reshape(-1)
        if len(row) != count:
            raise ShapeError(f"identity must have {count} coefficients, got {len(row)}")
        wanted = dict(enumerate(row.tolist()))
    out = here.clone()
    for index, value in wanted.items():
        if not (isinstance(index, int) and 0 <= index < count):
            raise ParameterError(
                f"there is no identity coefficient {index!r}: they are numbered 0 to {count - 1}"
            )
        number = float(_tensor(f"identity {index}", value))
        out[0, index] = number + (float(here[0, index]) if additive else 0.0)
        if abs(number) > _FURTHEST:
            raise ParameterError(
                f"identity {index} must be within {_FURTHEST:g} standard deviations, got {number:g}"
            )
    return out


def _lit(parameters: FaceParameters, light: Lighting, additive: bool) -> FaceParameters:
    here = parameters.illumination
    if isinstance(light, Tensor):
        check_shape("light", light, 9, 3)
        check_finite("light", light)
        changed = light.to(here) + (here if additive else 0.0)
        return replace(parameters, illumination=changed.expand_as(here).clone())
    change = light if isinstance(light, Light) else Light(brightness=float(_tensor("light", light)))
    return replace(parameters, illumination=change(here))
