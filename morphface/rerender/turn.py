"""How a head turns: about the joint that carries it; the neck turns less the lower it is."""

from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.ramps import smoothstep
from morphface.edit.pose import PIVOT
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["Turn", "above_neck", "turning"]

NECK = 0.42, -188.0, 63.0
"""Where a neck ends, as a slope and a height: below, in the model frame, y + slope z = height in
millimetres. Through so many millimetres above that it turns ever more, then as the head does."""
ELSEWHERE = 60.0, 150.0
"""Millimetres by which a neck is moved: up to the first it bends, from the second all move."""
LEAST = 1e-4, 1e-2
"""Radians and millimetres of a motion that is none."""


def above_neck(places: Float[Tensor, "*N 3"]) -> Float[Tensor, "*N"]:
    """How far above the end of the neck places are, in millimetres.

    Args:
        places: in the model frame.
    """
    slope, end, _ = NECK
    return places[..., 1] + slope * places[..., 2] - end


def turning(model: MorphableModel) -> Float[Tensor, " V"]:
    """How far what is at each vertex turns with the head, 0 to 1: a neck does ever less.

    Args:
        model: whose head it is.
    """
    if "neck" not in model.regions:
        return torch.ones(model.size)
    return smoothstep(above_neck(model.identity.mean), 0.0, NECK[2])


@dataclass(frozen=True, eq=False)
class Turn:
    """The rigid motion of a head between two frames, and parts of it.

    Args:
        pivot: of the neck before, in the camera frame.
        rotation: of the head, as a rotation vector in the camera frame.
        shift: of the pivot, in millimetres.
    """

    pivot: Float[Tensor, "3"]
    rotation: Float[Tensor, "3"]
    shift: Float[Tensor, "3"]

    @classmethod
    def between(cls, before: FaceParameters, after: FaceParameters) -> "Turn":
        """The motion from the first frame of one to that of the other.

        Args:
            before: of the head.
            after: of the same.
        """
        old, new = (roma.rotvec_to_rotmat(p.rotation[0]) for p in (before, after))
        middle = torch.tensor(PIVOT)
        was, now = (r @ middle + p.translation[0] for r, p in ((old, before), (new, after)))
        rotation = roma.rotmat_to_rotvec(new @ old.T)
        return cls(was, rotation, now - was)

    @property
    def moves(self) -> bool:
        """Whether the head moves at all, by more than rounding does."""
        return self.angle > LEAST[0] or float(self.shift.norm()) > LEAST[1]

    @property
    def far(self) -> float:
        """How far the body goes along: someone who is moved far is elsewhere as a whole."""
        return float(smoothstep(self.shift.norm(), *ELSEWHERE))

    @property
    def angle(self) -> float:
        """How far the head turns, in radians."""
        return float(self.rotation.norm())

    def apply(
        self, points: Float[Tensor, "*N 3"], share: Float[Tensor, "*N"]
    ) -> Float[Tensor, "*N 3"]:
        """Points after a part of the motion.

        Args:
            points: before it, in the camera frame.
            share: of the motion each makes, 0 to 1.
        """
        away, angle = points - self.pivot, self.rotation.norm()
        axis = self.rotation / angle.clamp(min=1e-9)
        turned = (share * angle)[..., None]
        # Rodrigues' formula.
        along = (away @ axis)[..., None] * axis
        across = torch.linalg.cross(axis.expand_as(away), away)
        away = along + (away - along) * turned.cos() + across * turned.sin()
        return away + self.pivot + share[..., None] * self.shift
