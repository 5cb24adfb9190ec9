"""Rotation vectors to yaw, pitch and roll, and back. For what people read, never for sums.

The head is first rolled about +z, then pitched about the ear-to-ear axis, then turned about +y:
`R = R_y(yaw) R_x(-pitch) R_z(roll)`. Yaw and pitch are thus the longitude and latitude of the
direction that the face looks in. Positive yaw turns the face to the subject's left (image
right), positive pitch up; positive roll tilts the head towards the subject's right shoulder
(counter-clockwise in the image). Radians.
"""

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape

__all__ = ["angles_to_rotvec", "rotvec_to_angles"]


def rotvec_to_angles(rotation: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Yaw, pitch and roll of head-to-camera rotation vectors.

    Yaw and roll are in (-pi, pi], pitch in [-pi/2, pi/2]. A face that looks straight up or down
    has no roll: its yaw says all.
    """
    check_shape("rotation", rotation, 3)
    matrix = roma.rotvec_to_rotmat(rotation)
    level = torch.hypot(matrix[..., 0, 2], matrix[..., 2, 2])
    straight = level < 1e-6
    pitch = torch.atan2(matrix[..., 1, 2], level)
    yaw = torch.where(
        straight,
        torch.atan2(-matrix[..., 2, 0], matrix[..., 0, 0]),
        torch.atan2(matrix[..., 0, 2], matrix[..., 2, 2]),
    )
    roll = torch.atan2(matrix[..., 1, 0], matrix[..., 1, 1])
    return torch.stack([yaw, pitch, torch.where(straight, 0.0, roll)], dim=-1)


def angles_to_rotvec(angles: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
    """Head-to-camera rotation vectors of yaw, pitch and roll. Inverts `rotvec_to_angles`."""
    check_shape("angles", angles, 3)
    yaw, pitch, roll = angles.unbind(dim=-1)
    zero = torch.zeros_like(yaw)
    about_y = roma.rotvec_to_unitquat(torch.stack([zero, yaw, zero], dim=-1))
    about_x = roma.rotvec_to_unitquat(torch.stack([-pitch, zero, zero], dim=-1))
    about_z = roma.rotvec_to_unitquat(torch.stack([zero, zero, roll], dim=-1))
    turn: Tensor = roma.unitquat_to_rotvec(roma.quat_composition([about_y, about_x, about_z]))
    return turn
