"""The sliders of a face: what there is to move, how far, and where it is now."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from morphface.core.errors import ParameterError
from morphface.edit.light import light_direction
from morphface.geometry.angles import rotvec_to_angles
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["EXPRESSION", "GROUPS", "Control", "controls_of", "values_of"]

MODES = 10
"""How many modes of identity have a slider."""
FURTHEST = 3.0
"""Standard deviations to which sliders of statistical modes reach."""
POSE = {"yaw": 60.0, "pitch": 40.0, "roll": 60.0}
GAZE = {"yaw": 40.0, "pitch": 30.0}
LIGHT = {"yaw": 180.0, "pitch": 90.0}
BRIGHTEST = 3.0
GROUPS = {
    "brows": "Brows",
    "eyes": "Eyes",
    "jaw": "Jaw",
    "mouth": "Mouth",
    "cheeks": "Cheeks and nose",
    "tongue": "Tongue",
    "other": "Expression",
    "pose": "Pose",
    "gaze": "Gaze",
    "light": "Light",
    "identity": "Identity",
}
"""Names of groups by their ids, in the order that they are shown in."""
EXPRESSION = ("brows", "eyes", "jaw", "mouth", "cheeks", "tongue", "other")
_PREFIXES = {
    "brow": "brows",
    "eye": "eyes",
    "jaw": "jaw",
    "mouth": "mouth",
    "cheek": "cheeks",
    "nose": "cheeks",
    "tongue": "tongue",
}
_DIGITS = {"expression": 4, "identity": 3, "pose": 2, "gaze": 2, "light": 2}


@dataclass(frozen=True)
class Control:
    """A slider.

    Args:
        id: kind and name, such as "expression/jawOpen".
        group: of `GROUPS`.
        label: what it is called.
        min: lowest value.
        max: highest value.
        step: from one value to the next.
        start: where the fit has it.
    """

    id: str
    group: str
    label: str
    min: float
    max: float
    step: float
    start: float

    @property
    def kind(self) -> str:
        """What it moves: expression, identity, pose, gaze or light."""
        return self.id.partition("/")[0]

    @property
    def name(self) -> str:
        """Which of that kind."""
        return self.id.partition("/")[2]

    def placed(self, value: float) -> float:
        """A value within the bounds, of few digits, so that code that sets it can be read."""
        return rounded(self.kind, min(max(value, self.min), self.max))

    def described(self, value: float) -> dict[str, Any]:
        """The slider as JSON."""
        return asdict(self) | {"value": value}


def rounded(kind: str, value: float) -> float:
    """A value with as many digits as its kind shows; never a negative zero."""
    return round(value, _DIGITS[kind]) + 0.0


def controls_of(model: MorphableModel, start: FaceParameters) -> dict[str, Control]:
    """The sliders of a fitted face by their ids, in the order that they are shown in.

    Args:
        model: that it was fitted with.
        start: what was fitted.
    """
    values = values_of(model, start, {})
    made = [*_expressions(model, values), *_angles("pose", POSE, values)]
    if model.eyes is not None:
        made += _angles("gaze", GAZE, values)
    made += _angles("light", LIGHT, values)
    strength = values["light/strength"]
    made.append(Control("light/strength", "light", "strength", 0.0, BRIGHTEST, 0.01, strength))
    modes = range(min(MODES, start.identity.shape[1]))
    made += [_mode("identity", str(k), "identity", values[f"identity/{k}"]) for k in modes]
    order = list(GROUPS)
    return {control.id: control for control in sorted(made, key=lambda c: order.index(c.group))}


def values_of(
    model: MorphableModel, parameters: FaceParameters, given: Mapping[str, float]
) -> dict[str, float]:
    """What parameters say, as sliders show it.

    Args:
        model: that they belong to.
        parameters: one frame.
        given: values that are known, which come before those that are read off.
    """
    weights = parameters.expression[0].tolist()
    weights += [0.0] * (model.expression.rank - len(weights))
    found = {f"expression/{n}": w for n, w in zip(model.expression.names, weights, strict=True)}
    found |= {f"identity/{k}": v for k, v in enumerate(parameters.identity[0, :MODES].tolist())}
    turn = torch.rad2deg(rotvec_to_angles(parameters.rotation[0])).tolist()
    found |= {f"pose/{name}": value for name, value in zip(POSE, turn, strict=True)}
    gaze = torch.rad2deg(parameters.gaze[0].mean(dim=0)).tolist()
    if model.eyes is not None:
        found |= {f"gaze/{name}": value for name, value in zip(GAZE, gaze, strict=True)}
    found |= {f"light/{name}": value for name, value in zip(LIGHT, _light(parameters), strict=True)}
    found["light/strength"] = 1.0
    return {key: given.get(key, rounded(key.partition("/")[0], v)) for key, v in found.items()}


def _light(parameters: FaceParameters) -> tuple[float, float]:
    """Where most of the light comes from, in degrees; ahead if it comes from all sides."""
    try:
        x, y, z = light_direction(parameters.illumination[0]).tolist()
    except ParameterError:
        return 0.0, 0.0
    return math.degrees(math.atan2(x, z)), math.degrees(math.asin(max(min(y, 1.0), -1.0)))


def _expressions(model: MorphableModel, values: Mapping[str, float]) -> list[Control]:
    made = []
    names, bounds = model.expression.names, model.expression.bounds.tolist()
    for name, (low, high) in zip(names, bounds, strict=True):
        key, start = f"expression/{name}", values[f"expression/{name}"]
        group = next((g for p, g in _PREFIXES.items() if name.startswith(p)), "other")
        if math.isfinite(low) and math.isfinite(high):
            step = 0.01 if high - low >= 0.2 else (high - low) / 50
            made.append(Control(key, group, name, low, high, step, start))
        else:
            made.append(_mode("expression", name, group, start))
    return made


def _mode(kind: str, name: str, group: str, start: float) -> Control:
    """A coefficient in standard deviations; its slider reaches what was fitted."""
    low, high = min(-FURTHEST, math.floor(start)), max(FURTHEST, math.ceil(start))
    label = f"identity {name}" if kind == "identity" else name
    return Control(f"{kind}/{name}", group, label, low, high, 0.05, start)


def _angles(kind: str, limits: Mapping[str, float], values: Mapping[str, float]) -> list[Control]:
    made = []
    for name, limit in limits.items():
        start = values[f"{kind}/{name}"]
        low, high = min(-limit, math.floor(start)), max(limit, math.ceil(start))
        made.append(Control(f"{kind}/{name}", kind, name, low, high, 0.5, start))
    return made
