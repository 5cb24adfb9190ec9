"""Turning a head in its place.

A fitted head's origin lies between its eyes. To turn it there would swing the back of the head
out to the side like a door, while a neck turns it about the joint that carries the skull, below
and behind the ears' openings. So edits and transfers turn about `PIVOT`: the silhouette stays
where it was, and the face moves within it as it does on a real neck. Rotations are composed,
never added.
"""

from dataclasses import replace

import roma
from jaxtyping import Float
from torch import Tensor

from morphface.parameters import FaceParameters

__all__ = ["PIVOT", "arm", "head_centre", "turned_to", "with_head_centre"]

PIVOT = (0.0, -40.0, -85.0)
"""Where the skull rests on the spine, in the model frame of every model, in millimetres."""


def head_centre(parameters: FaceParameters) -> Float[Tensor, "T 3"]:
    """Where `PIVOT` is in the camera frame, in millimetres."""
    return parameters.translation + arm(parameters.rotation)


def with_head_centre(
    parameters: FaceParameters,
    rotation: Float[Tensor, "T 3"],
    centre: Float[Tensor, "T 3"],
) -> FaceParameters:
    """Heads that are turned and placed anew.

    Args:
        parameters: of the heads.
        rotation: head to camera, rotation vectors in radians.
        centre: where `PIVOT` shall be in the camera frame, in millimetres.
    """
    return replace(parameters, rotation=rotation, translation=centre - arm(rotation))


def turned_to(parameters: FaceParameters, rotation: Float[Tensor, "T 3"]) -> FaceParameters:
    """Heads that are turned about `PIVOT` to face otherwise.

    Args:
        parameters: of the heads.
        rotation: head to camera, rotation vectors in radians.
    """
    return with_head_centre(parameters, rotation, head_centre(parameters))


def arm(rotation: Float[Tensor, "T 3"]) -> Float[Tensor, "T 3"]:
    """From the head's origin to `PIVOT`, in the camera frame, in millimetres."""
    return roma.rotvec_to_rotmat(rotation) @ rotation.new_tensor(PIVOT)
