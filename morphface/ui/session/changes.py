"""What the sliders change, as calls of `morphface.edit.edit`.

A face is what was fitted and the values that were set, and nothing else: it does not matter in
which order they were set. Lids follow the gaze, but for those that were set by themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from morphface.core.errors import ParameterError
from morphface.edit import Light, edit, lamp, light_direction
from morphface.edit.sliders import GAZE_LIMITS
from morphface.edit.weights import lid_columns
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.ui.session.controls import Control

__all__ = ["Changes", "Lamp"]

Values = Mapping[str, float]


@dataclass(frozen=True)
class Lamp:
    """Arguments of `morphface.edit.lamp`: light for a face that had it from all sides alike."""

    yaw: float
    pitch: float
    strength: float
    ambient: float


@dataclass(frozen=True, eq=False)
class Changes:
    """How the values of sliders become a face.

    Args:
        model: of the face.
        start: what was fitted.
        controls: by id.
    """

    model: MorphableModel
    start: FaceParameters
    controls: Mapping[str, Control]

    def __call__(self, values: Values) -> FaceParameters:
        """The face with some values set.

        Args:
            values: those that were set, by the ids of their sliders.
        """
        face = self.start
        for arguments in self.calls(values):
            if isinstance(arguments.get("light"), Lamp):
                arguments["light"] = lamp(**vars(arguments["light"]))
            face = edit(face, model=self.model, **arguments)
        return face

    def calls(self, values: Values) -> list[dict[str, Any]]:
        """The arguments of the calls that make the face, one after the other.

        Args:
            values: those that were set, by the ids of their sliders.
        """
        parts = {kind: self._of(kind, values) for kind in ("identity", "pose", "gaze", "light")}
        first: dict[str, Any] = dict(parts["pose"])
        if parts["identity"]:
            first["identity"] = {int(k): value for k, value in parts["identity"].items()}
        if parts["light"]:
            first["light"] = self._light(parts["light"])
        weights = self._of("expression", values)
        look = [{"gaze": self._turn(parts["gaze"]), "additive": True}] if parts["gaze"] else []
        second = [{"expression": weights}] if weights else []
        return [*([first] if first else []), *look, *second]

    def kept(self, values: Values) -> dict[str, float]:
        """Without those that are what was fitted."""
        lids = {self.model.expression.names[k] for k in lid_columns(self.model)}
        return {
            key: value
            for key, value in values.items()
            if value != self.controls[key].start or self.controls[key].name in lids
        }

    def _of(self, kind: str, values: Values) -> dict[str, float]:
        ids = [key for key, control in self.controls.items() if control.kind == kind]
        return {self.controls[key].name: values[key] for key in ids if key in values}

    def _turn(self, gaze: Values) -> tuple[float, float]:
        """By how much both eyes turn, in degrees; they keep the angle between them."""
        turns = []
        for name, limit in zip(("yaw", "pitch"), GAZE_LIMITS, strict=True):
            start = self.controls[f"gaze/{name}"].start
            turn = round(gaze.get(name, start) - start, 2)
            turns.append(min(max(turn, -limit), limit))
        return turns[0], turns[1]

    def _light(self, light: Values) -> float | Light | Lamp:
        strength = light.get("strength", 1.0)
        if not {"yaw", "pitch"} & light.keys():
            return strength
        yaw, pitch = (
            light.get(name, self.controls[f"light/{name}"].start) for name in ("yaw", "pitch")
        )
        try:
            light_direction(self.start.illumination)
        except ParameterError:
            return Lamp(yaw, pitch, round(0.5 * strength, 4), round(0.4 * strength, 4))
        return Light(brightness=strength, direction=(yaw, pitch))
