"""Where each eye looks, from the landmarks of its iris.

The ray from the camera through each iris landmark meets the sphere on which that landmark turns;
the gaze is the rotation that takes the eye at rest there. It is a closed form: with exact
landmarks it gives the exact angles.
"""

import numpy as np
from jaxtyping import Float

__all__ = ["eye_angles", "eye_rotation"]

_FURTHEST = np.radians([50.0, 40.0])


def eye_rotation(angles: Float[np.ndarray, "2"]) -> Float[np.ndarray, "3 3"]:
    """The rotation matrix of (yaw, pitch); `morphface.models.gaze_rotation` in numpy."""
    (cy, cp), (sy, sp) = np.cos(angles), np.sin(angles)
    return np.array([[cy, -sy * sp, sy * cp], [0.0, cp, sp], [-sy, -cy * sp, cy * cp]])


def eye_angles(
    rest: Float[np.ndarray, "n 3"],
    origin: Float[np.ndarray, "3"],
    rays: Float[np.ndarray, "n 3"],
) -> Float[np.ndarray, "2"]:
    """(yaw, pitch) in radians that turn the points at `rest` onto the `rays`.

    Args:
        rest: iris landmarks of the eye that looks ahead, from the centre of the eye, in the head
            frame and in millimetres.
        origin: of the camera, from the centre of the eye, in the head frame.
        rays: directions from the camera, in the head frame, of any length.
    """
    rays = rays / np.linalg.norm(rays, axis=1, keepdims=True)
    along = rays @ origin
    inside = along**2 - (origin @ origin - (rest**2).sum(axis=1))
    seen = origin + (-along - np.sqrt(np.maximum(inside, 0.0)))[:, None] * rays
    here, there = _unit(_unit(rest).mean(axis=0)), _unit(_unit(seen).mean(axis=0))
    reach = max(float(np.hypot(here[1], here[2])), 1e-9)
    up = np.arcsin(np.clip(there[1] / reach, -1.0, 1.0))
    pitch = up - np.arctan2(here[1], here[2])
    yaw = np.arctan2(there[0], there[2]) - np.arctan2(here[0], reach * np.cos(up))
    return np.clip(np.array([yaw, pitch]), -_FURTHEST, _FURTHEST)


def _unit(vectors: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
