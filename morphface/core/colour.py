"""Picture values and the amounts of light that they stand for (sRGB, IEC 61966-2-1).

Values below 0 and above 1, as shading makes them, continue the curve, so that both functions
invert each other everywhere and have finite slopes.
"""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["linear_to_srgb", "srgb_to_linear"]


def srgb_to_linear(colours: Float[Tensor, "*batch C"]) -> Float[Tensor, "*batch C"]:
    """Picture values to amounts of light; keeps 0 and 1."""
    # Each branch sees only what it is for: the other's slope there may be infinite.
    bright = ((colours.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(colours <= 0.04045, colours / 12.92, bright)


def linear_to_srgb(light: Float[Tensor, "*batch C"]) -> Float[Tensor, "*batch C"]:
    """Amounts of light to picture values; keeps 0 and 1."""
    bright = 1.055 * light.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(light <= 0.0031308, light * 12.92, bright)
