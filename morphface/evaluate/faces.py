"""How far the parameters of two sequences of faces differ. One value a frame."""

from collections.abc import Callable
from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.evaluate.score import Measure
from morphface.geometry.angles import rotvec_to_angles
from morphface.models import gaze_rotation
from morphface.parameters import FaceParameters

__all__ = ["FaceMeasure", "aed_expression", "apd_pose", "ard", "dai", "gaze_error", "geodesic"]


@dataclass(frozen=True)
class FaceMeasure(Measure):
    """A measure of what was found in pictures that were made, against what should have been.

    Args:
        name: as papers write it.
        unit: of the value.
        better: "lower" or "higher".
        convention: range, reduction and source, in a few words.
        of_frames: the value of each frame.
    """

    of_frames: Callable[[FaceParameters, FaceParameters], Tensor]

    def __call__(self, result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
        """One value for each frame, or for the person.

        Args:
            result: what was found.
            reference: what should have been, of the same model and in the same frames.

        Raises:
            ParameterError: the sequences differ in length or in coefficients.
        """
        if result.frames != reference.frames:
            raise ParameterError(
                "result must have the frames of reference, "
                f"got {result.frames} for {reference.frames}"
            )
        for group in ("identity", "expression"):
            got, wanted = (getattr(some, group).shape[1] for some in (result, reference))
            if got != wanted:
                raise ParameterError(
                    f"result must be of the model of reference, got {got} {group} "
                    f"coefficients for {wanted}"
                )
        return self.of_frames(result, reference)


def _wrapped(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, "T 3"]:
    """Absolute differences of yaw, pitch and roll: 359 and 1 degree differ by 2."""
    difference = rotvec_to_angles(result.rotation) - rotvec_to_angles(reference.rotation)
    return (torch.remainder(difference + torch.pi, 2 * torch.pi) - torch.pi).abs()


def _turn(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
    matrices = (roma.rotvec_to_rotmat(some.rotation) for some in (result, reference))
    angle: Tensor = roma.rotmat_geodesic_distance(*matrices)
    return angle


def _sight(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
    one, other = (gaze_rotation(some.gaze)[..., 2] for some in (result, reference))
    across = torch.linalg.cross(one, other).norm(dim=-1)
    return torch.atan2(across, (one * other).sum(dim=-1)).mean(dim=-1)


aed_expression = FaceMeasure(
    name="AED-expression",
    unit="",
    better="lower",
    convention="mean absolute difference of expression coefficients, as PIRender; Head2Head sums",
    of_frames=lambda a, b: (a.expression - b.expression).abs().mean(dim=-1),
)
apd_pose = FaceMeasure(
    name="APD-pose",
    unit="rad",
    better="lower",
    convention="mean absolute difference of yaw, pitch and roll, wrapped, as PIRender",
    of_frames=lambda a, b: _wrapped(a, b).mean(dim=-1),
)
ard = FaceMeasure(
    name="ARD",
    unit="degrees",
    better="lower",
    convention="mean absolute difference of yaw, pitch and roll, wrapped, as Head2Head",
    of_frames=lambda a, b: torch.rad2deg(_wrapped(a, b)).mean(dim=-1),
)
geodesic = FaceMeasure(
    name="geodesic",
    unit="degrees",
    better="lower",
    convention="angle of the rotation that takes one pose to the other",
    of_frames=lambda a, b: torch.rad2deg(_turn(a, b)),
)
gaze_error = FaceMeasure(
    name="gaze",
    unit="degrees",
    better="lower",
    convention="angle between directions of sight in the head, mean of both eyes",
    of_frames=lambda a, b: torch.rad2deg(_sight(a, b)),
)
dai = FaceMeasure(
    name="DAI",
    unit="",
    better="lower",
    convention="L1 distance of the identity coefficients, as Head2Head; one value",
    of_frames=lambda a, b: (a.identity - b.identity).abs().sum(dim=-1),
)
