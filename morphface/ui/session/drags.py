"""A hand that drags: how far head, eyes or light turn for it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from morphface.core.errors import ParameterError
from morphface.edit.names import unknown
from morphface.fit.fitted import FittedFace

__all__ = ["DRAGS", "Drag", "turned_by"]

DRAGS = ("pose", "gaze", "light")
"""What can be dragged."""
HEAD = 95.0
"""From the middle of a head to its surface, in millimetres."""
GAINS = 60.0, 400.0
"""Fewest and most degrees that a head turns for the picture's width."""
EYES = 0.7
"""How many degrees eyes turn while a head would turn one."""
LIGHT = 180.0
"""Degrees that the light moves for the picture's width."""


@dataclass(frozen=True)
class Drag:
    """A drag that has begun.

    Args:
        what: is dragged.
        yaw: when it began, in degrees.
        pitch: likewise.
        gain: degrees for the picture's width.
    """

    what: str
    yaw: float
    pitch: float
    gain: float

    @classmethod
    def of(cls, what: str, values: Mapping[str, float], face: FittedFace) -> "Drag":
        """The drag that begins now.

        Args:
            what: is dragged.
            values: of all sliders.
            face: in the picture.

        Raises:
            ParameterError: it cannot be dragged.
        """
        if what not in DRAGS or f"{what}/yaw" not in values:
            raise ParameterError(unknown("thing to drag", what, DRAGS))
        gain = LIGHT if what == "light" else _gain(face) * (EYES if what == "gaze" else 1.0)
        return cls(what, values[f"{what}/yaw"], values[f"{what}/pitch"], gain)


def turned_by(drag: Drag, right: float, down: float) -> dict[str, float]:
    """The angles, by the ids of their sliders.

    Args:
        drag: since it began.
        right: way of the hand, in widths of the picture.
        down: likewise.
    """
    return {
        f"{drag.what}/yaw": drag.yaw + drag.gain * right,
        f"{drag.what}/pitch": drag.pitch - drag.gain * down,
    }


def _gain(face: FittedFace) -> float:
    """Degrees for which the skin under the hand stays there."""
    depth = max(-float(face.parameters.translation[0, 2]), 1.0)
    radius = float(face.camera.focal.flatten()[0]) * HEAD / depth / face.camera.size[1]
    least, most = GAINS
    return min(max(math.degrees(1 / max(radius, 1e-6)), least), most)
