"""Where the fit of one frame stands, and which column of its normal equations moves what.

Identity, reflectance and camera do not change here. Gaze has normal equations of its own, as
nothing else depends on it.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from torch import Tensor

from morphface.parameters import FaceParameters

__all__ = ["POSE", "Span", "State", "span_of", "state_of"]

POSE = 6  # rotation and translation are the first columns


@dataclass(frozen=True)
class Span:
    """Columns of each group."""

    rotation: slice
    translation: slice
    expression: slice
    light: slice

    @property
    def width(self) -> int:
        """How many columns there are."""
        return int(self.light.stop)


def span_of(expression: int) -> Span:
    """The columns for so many expression coefficients."""
    end = POSE + expression
    return Span(slice(0, 3), slice(3, POSE), slice(POSE, end), slice(end, end + 27))


@dataclass(frozen=True, eq=False)
class State:
    """What changes from frame to frame.

    Args:
        rotation: matrix, head to camera.
        translation: of the head's origin in the camera frame.
        expression: weights or coefficients.
        light: illumination.
        gaze: (yaw, pitch) of the left and the right eye.
    """

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    expression: Float[np.ndarray, " E"]
    light: Float[np.ndarray, "9 3"]
    gaze: Float[np.ndarray, "2 2"]

    def moved(self, step: Float[np.ndarray, " P"]) -> "State":
        """This state after a step; a rotation turns the camera frame."""
        span = span_of(len(self.expression))
        turn = Rotation.from_rotvec(step[span.rotation]).as_matrix()
        return replace(
            self,
            rotation=turn @ self.rotation,
            translation=self.translation + step[span.translation],
            expression=self.expression + step[span.expression],
            light=self.light + step[span.light].reshape(9, 3),
        )

    def minus(self, other: "State") -> Float[np.ndarray, " P"]:
        """The step that moves `other` here."""
        turn = Rotation.from_matrix(self.rotation @ other.rotation.T).as_rotvec()
        return np.concatenate(
            [
                turn,
                self.translation - other.translation,
                self.expression - other.expression,
                (self.light - other.light).ravel(),
            ]
        )

    def parameters(self, identity: Tensor, reflectance: Tensor) -> FaceParameters:
        """One frame of parameters of a person."""

        def tensor(values: Float[np.ndarray, "..."]) -> Tensor:
            return torch.tensor(values[None], dtype=torch.float32)

        return FaceParameters(
            identity=identity,
            expression=tensor(self.expression),
            reflectance=reflectance,
            illumination=tensor(self.light),
            rotation=tensor(Rotation.from_matrix(self.rotation).as_rotvec()),
            translation=tensor(self.translation),
            gaze=tensor(self.gaze),
        )


def state_of(parameters: FaceParameters) -> State:
    """The state of the first frame of parameters."""

    def array(values: Tensor) -> Float[np.ndarray, "..."]:
        return values[0].detach().cpu().double().numpy()

    return State(
        rotation=Rotation.from_rotvec(array(parameters.rotation)).as_matrix(),
        translation=array(parameters.translation),
        expression=array(parameters.expression),
        light=array(parameters.illumination),
        gaze=array(parameters.gaze),
    )
