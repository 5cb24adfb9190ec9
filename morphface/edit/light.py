"""Changing the light on a face.

The light of `FaceParameters` belongs to the camera: it stays when the head turns. `Light` says
what happens to it in words that a photographer would use; `lamp` makes a new one.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.geometry.angles import angles_to_rotvec
from morphface.geometry.spherical_harmonics import (
    AMBIENT,
    rotate_light,
    sample_directions,
    sh_project,
)

__all__ = ["Light", "lamp", "light_direction"]

_UNIT = math.sqrt(math.pi) / 2
"""The light that one unit of a constant coefficient is."""
_FLAT = 1e-4
_BRIGHTEST = 10.0


@dataclass(frozen=True)
class Light:
    """What to do to the light of a face. The default leaves it as it is.

    Args:
        brightness: factor of all light.
        contrast: factor of what differs between directions; 0 lights all sides alike.
        turn: degrees about the vertical; positive moves the light to the right of the image.
        lift: degrees upwards.
        direction: (yaw, pitch) in degrees where most of the light shall come from: (0, 0) from
            the camera, (90, 0) from the right of the image, (0, 90) from above. It is turned
            there before `turn` and `lift`.

    Raises:
        ParameterError: a factor is negative or above 10, or an angle is not finite.
    """

    brightness: float = 1.0
    contrast: float = 1.0
    turn: float = 0.0
    lift: float = 0.0
    direction: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast"):
            value = getattr(self, name)
            if not 0.0 <= value <= _BRIGHTEST:
                raise ParameterError(f"{name} must be from 0 to {_BRIGHTEST:g}, got {value:g}")
        if not all(map(math.isfinite, (self.turn, self.lift, *(self.direction or ())))):
            raise ParameterError("turn, lift and direction must be finite numbers of degrees")

    def __call__(self, illumination: Float[Tensor, "T 9 3"]) -> Float[Tensor, "T 9 3"]:
        """The changed light.

        Args:
            illumination: coefficients, as in `FaceParameters`.

        Raises:
            ParameterError: a direction is asked for, but the light has none.
        """
        light = illumination.clone()
        if self.direction is not None:
            light = rotate_light(light, _between(light_direction(light), self.direction))
        if self.turn or self.lift:
            angles = torch.tensor([self.turn, self.lift, 0.0], dtype=torch.float64)
            light = rotate_light(light, angles_to_rotvec(angles.deg2rad()).to(light))
        light[:, 0] = self.brightness * (light[:, 0] + AMBIENT) - AMBIENT
        light[:, 1:] *= self.brightness * self.contrast
        return light


def light_direction(illumination: Float[Tensor, "*batch 9 3"]) -> Float[Tensor, "*batch 3"]:
    """Where most of the light comes from: a unit vector in the camera frame.

    Raises:
        ParameterError: it comes from all sides alike.
    """
    first = illumination[..., 1:4, :].mean(dim=-1)
    vector = torch.stack([-first[..., 2], -first[..., 0], first[..., 1]], dim=-1)
    length = vector.norm(dim=-1, keepdim=True)
    if bool((length < _FLAT).any()):
        raise ParameterError(
            "the light comes from all sides alike, so it has no direction to turn; "
            "make a new one with lamp(yaw, pitch)"
        )
    return vector / length


def lamp(
    yaw: float, pitch: float, *, strength: float = 0.8, ambient: float = 0.3
) -> Float[Tensor, "9 3"]:
    """Coefficients of a white lamp, far away, and of light from all sides.

    Args:
        yaw: degrees to the right of the image.
        pitch: degrees upwards.
        strength: light on a surface that faces the lamp.
        ambient: light on every surface; 0.62 is that of coefficients of zero.

    Raises:
        ParameterError: an argument is not finite, or an amount of light is negative.
    """
    if not all(map(math.isfinite, (yaw, pitch, strength, ambient))) or min(strength, ambient) < 0:
        raise ParameterError("a lamp needs finite angles, and amounts of light from 0 up")
    cosine = sample_directions() @ _direction((yaw, pitch))
    # The clamped cosine in bands 0 to 2 (Ramamoorthi and Hanrahan 2001, equation 8).
    lit = 1 / 4 + cosine / 2 + 5 / 32 * (3 * cosine.square() - 1)
    light = sh_project((strength * lit)[:, None].expand(12, 3)).float()
    light[0] += ambient / _UNIT - AMBIENT
    return light


def _direction(degrees: tuple[float, float]) -> Float[Tensor, "3"]:
    yaw, pitch = map(math.radians, degrees)
    level = math.cos(pitch)
    out = (math.sin(yaw) * level, math.sin(pitch), math.cos(yaw) * level)
    return torch.tensor(out, dtype=torch.float64)


def _between(here: Float[Tensor, "T 3"], degrees: tuple[float, float]) -> Float[Tensor, "T 3"]:
    """The least rotations that take unit vectors to a direction."""
    there = _direction(degrees).to(here).expand_as(here)
    axis, cosine = torch.linalg.cross(here, there), (here * there).sum(-1, keepdim=True)
    angle = torch.atan2(axis.norm(dim=-1, keepdim=True), cosine)
    # For a half turn, any axis across the two will do.
    across = torch.linalg.cross(here, here.new_tensor([0.1, 1.0, 0.2]).expand_as(here))
    axis = torch.where(axis.norm(dim=-1, keepdim=True) < 1e-6, across, axis)
    return angle * torch.nn.functional.normalize(axis, dim=-1)
