"""What moves about a head, as one row of values with names for each frame."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.geometry.angles import rotvec_to_angles
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["named_values", "names_of"]

_ANGLES = ("yaw", "pitch", "roll")
_GAZE = ("gazeYawLeft", "gazePitchLeft", "gazeYawRight", "gazePitchRight")


def names_of(model: MorphableModel) -> tuple[str, ...]:
    """Names of the values of a head that moves: its expressions, its pose, its gaze."""
    return (*model.expression.names, *_ANGLES, *_GAZE)


def named_values(face: FaceParameters) -> Float[Tensor, "T P"]:
    """The values of some frames, in the order of `names_of`; angles in radians."""
    parts = face.expression, rotvec_to_angles(face.rotation), face.gaze.flatten(1)
    frames = face.frames
    return torch.cat([part.expand(frames, *part.shape[1:]) for part in parts], dim=1)
