"""Light of a scene, and what a camera makes of it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record
from morphface.geometry.mesh import normalized
from morphface.geometry.spherical_harmonics import AMBIENT, irradiance
from morphface.synthetic.dice import Dice

__all__ = ["Exposure", "Light", "random_exposure", "random_light"]

BRIGHT = 0.8
"""Light on a face that looks at the camera, on average over `_FACE`, at the mean exposure."""
BRIGHTNESS, BALANCE, TINT = 0.06, 0.02, 0.01
"""Standard deviations of the logarithms of what differs from frame to frame: gain of all channels,
of red against blue, and of each channel. Between frames of a webcam the first is 0.06, the second
0.01 to 0.02 (where a photo's pixels, moved by the mesh's flow, are seen in them)."""
_FACE = ((0.0, 0.0, 1.0), (-0.8, 0.0, 0.6), (0.8, 0.0, 0.6), (0.0, 0.7, 0.7), (0.0, -0.5, 0.8))


@dataclass(frozen=True, eq=False)
class Light(Record):
    """Light from everywhere and a lamp, in the camera frame.

    Args:
        around: coefficients of R, G and B as of `irradiance`.
        lamp: direction to the lamp.
        strength: light of the lamp that falls straight on a surface.
    """

    around: Float[Tensor, "9 3"]
    lamp: Float[Tensor, "3"]
    strength: Float[Tensor, "3"]

    def falling(
        self,
        normals: Float[Tensor, "N 3"],
        open_: Float[Tensor, "N 1"],
        lit: Float[Tensor, "N 1"],
    ) -> Float[Tensor, "N 3"]:
        """Light on a surface.

        Args:
            normals: of unit length.
            open_: share of the light from everywhere that reaches it.
            lit: share of the lamp that does.
        """
        sky = irradiance(self.around, normals).clamp(min=0.04)
        facing = (normals @ self.lamp).clamp(min=0)[:, None]
        return sky * open_ + facing * lit * self.strength


@dataclass(frozen=True, eq=False)
class Exposure(Record):
    """How a camera renders light.

    Args:
        gain: of R, G and B: brightness and white balance.
        noise: standard deviation of that of the sensor.
        seed: of the noise.
    """

    gain: Float[Tensor, "3"]
    noise: float
    seed: int

    def picture(self, values: Float[Tensor, "H W 3"]) -> Float[Tensor, "H W 3"]:
        """From light to what is stored, with a soft shoulder above 0.8, in 8 bits.

        Args:
            values: of light times albedo.
        """
        dice = Dice(self.seed)
        seen = values * self.gain + self.noise * dice.normal(*values.shape)
        over = (seen - 0.8).clamp(min=0)
        soft = torch.where(seen > 0.8, 0.8 + 0.2 * over / (over + 0.2), seen)
        return soft.clamp(0, 1).mul(255).round() / 255


def random_light(dice: Dice) -> Light:
    """From flat to dramatic, from warm to cold."""
    lamp = dice.normal(3) * torch.tensor([0.9, 0.4, 0.5]) + torch.tensor([0.0, 0.5, 0.7])
    lamp[2] = lamp[2].clamp(min=-0.2)
    lamp = normalized(lamp)
    warmth = 0.06 * float(dice.normal()) * torch.tensor([1.0, 0.1, -1.0])
    share = dice.number(0.05, 0.6)
    around = torch.zeros(9, 3)
    around[1:4] = 0.13 * dice.normal(3, 1) * torch.tensor([[1.0], [0.8], [1.2]])
    around[4:] = 0.04 * dice.normal(5, 1)
    around = around * (1 + 0.06 * dice.normal(9, 3))
    around[0] -= 0.6 * warmth
    sides = normalized(torch.tensor(_FACE))
    everywhere = irradiance(around, sides).mean().clamp(min=0.1)
    facing = (sides @ lamp).clamp(min=0).mean().clamp(min=0.25)
    scale = (1 - share) * BRIGHT / everywhere
    around = around * scale
    around[0] += (scale - 1) * AMBIENT
    return Light(around, lamp, share * BRIGHT * (1 + warmth) / facing)


def random_exposure(dice: Dice) -> Exposure:
    """Of one frame: cameras make faces lighter or darker, warmer or colder."""
    brightness = torch.exp(BRIGHTNESS * dice.normal(1))
    balance = torch.exp(BALANCE * dice.normal() * torch.tensor([1.0, 0.0, -1.0]))
    tint = torch.exp(TINT * dice.normal(3))
    noise = dice.number(0.0, 0.012)
    return Exposure(brightness * balance * tint, noise, int(dice.whole(1 << 30)))
