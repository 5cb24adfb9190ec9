"""How far the parameters of two sequences of faces differ. One value a frame.

Both sequences are of one model, and have the same frames.
"""

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.evaluate.score import Measure
from morphface.geometry.angles import rotvec_to_angles
from morphface.models import gaze_rotation
from morphface.parameters import FaceParameters

__all__ = [
    "MEASURES",
    "aed_expression",
    "apd_pose",
    "ard",
    "dai",
    "gaze_error",
    "geodesic",
]

MEASURES = {
    "aed_expression": Measure(
        "AED-expression", "", "lower", "mean absolute difference of expression coefficients"
    ),
    "apd_pose": Measure(
        "APD-pose", "rad", "lower", "mean absolute difference of yaw, pitch and roll"
    ),
    "ard": Measure(
        "ARD", "degrees", "lower", "mean absolute difference of yaw, pitch and roll, wrapped"
    ),
    "geodesic": Measure("rotation", "degrees", "lower", "angle of the rotation between the poses"),
    "gaze_error": Measure(
        "gaze", "degrees", "lower", "angle between directions in the head, mean of both eyes"
    ),
    "dai": Measure("DAI", "", "lower", "L1 distance of the identity coefficients"),
}


def aed_expression(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
    """Mean absolute difference of expression coefficients (PIRender's; Head2Head sums them).

    Args:
        result: what was found in the pictures that were made.
        reference: what should have been.

    Raises:
        ParameterError: the sequences differ in length or in coefficients.
    """
    _check(result, reference)
    return (result.expression - reference.expression).abs().mean(dim=-1)


def ard(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
    """Mean over yaw, pitch and roll of the absolute difference, in degrees.

    359 and 1 degree differ by 2 (Head2Head's average rotation distance).

    Args:
        result: what was found in the pictures that were made.
        reference: what should have been.

    Raises:
        ParameterError: the sequences differ in length or in coefficients.
    """
    return torch.rad2deg(apd_pose(result, reference))


def apd_pose(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
    """`ard` in radians.

    Args:
        result: what was found in the pictures that were made.
        reference: what should have been.

    Raises:
        ParameterError: the sequences differ in length or in coefficients.
    """
    _check(result, reference)
    difference = rotvec_to_angles(result.rotation) - rotvec_to_angles(reference.rotation)
    wrapped = torch.remainder(difference + torch.pi, 2 * torch.pi) - torch.pi
    return wrapped.abs().mean(dim=-1)


def geodesic(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
    """The angle of the rotation that takes one pose to the other, in degrees.

    Args:
        result: what was found in the pictures that were made.
        reference: what should have been.

    Raises:
        ParameterError: the sequences differ in length or in coefficients.
    """
    _check(result, reference)
    matrices = (roma.rotvec_to_rotmat(some.rotation) for some in (result, reference))
    angle: Tensor = roma.rotmat_geodesic_distance(*matrices)
    return torch.rad2deg(angle)


def gaze_error(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " T"]:
    """The angle between two directions of sight in the head, in degrees, mean of both eyes.

    Args:
        result: what was found in the pictures that were made.
        reference: what should have been.

    Raises:
        ParameterError: the sequences differ in length or in coefficients.
    """
    _check(result, reference)
    one, other = (gaze_rotation(some.gaze)[..., 2] for some in (result, reference))
    across = torch.linalg.cross(one, other).norm(dim=-1)
    return torch.rad2deg(torch.atan2(across, (one * other).sum(dim=-1))).mean(dim=-1)


def dai(result: FaceParameters, reference: FaceParameters) -> Float[Tensor, " 1"]:
    """The L1 distance of two identities (Head2Head).

    Args:
        result: one person.
        reference: another, or the same.

    Raises:
        ParameterError: the identities have not the same coefficients.
    """
    check_shape("identity", result.identity, 1, reference.identity.shape[1])
    return (result.identity - reference.identity).abs().sum(dim=-1)


def _check(result: FaceParameters, reference: FaceParameters) -> None:
    if result.frames != reference.frames:
        raise ParameterError(
            f"result must have the frames of reference, got {result.frames} for {reference.frames}"
        )
    if result.expression.shape != reference.expression.shape:
        raise ParameterError(
            "result must be of the model of reference, "
            f"got {result.expression.shape[1]} expression coefficients "
            f"for {reference.expression.shape[1]}"
        )
