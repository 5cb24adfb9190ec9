"""Distant, smooth light as nine spherical harmonics.

A Lambertian surface sees of a distant light little more than bands 0 to 2 (Ramamoorthi and
Hanrahan 2001). The constants below already hold the cosine lobe's attenuation. Normals and
coefficients are in the camera frame: the light stays when the head turns.
"""

from math import pi, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape

__all__ = ["AMBIENT", "irradiance", "sh_basis", "sh_derivative"]

AMBIENT = 0.7
"""Added to each channel's constant coefficient, so that zero means a neutral grey light."""

_BAND0 = pi / sqrt(4 * pi)
_BAND1 = 2 * pi / sqrt(3) * sqrt(3) / sqrt(4 * pi)
_BAND2 = 2 * pi / sqrt(8) * 3 * sqrt(5) / sqrt(12 * pi)


def sh_basis(normals: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 9"]:
    """The nine terms 1; y, z, x; xy, yz, 3zz-1, xz, xx-yy with their constants and signs.

    Args:
        normals: of unit length.

    Raises:
        ShapeError: the last axis is not 3.
    """
    check_shape("normals", normals, 3)
    x, y, z = normals.unbind(-1)
    terms = [
        torch.full_like(x, _BAND0),
        -_BAND1 * y,
        _BAND1 * z,
        -_BAND1 * x,
        _BAND2 * x * y,
        -_BAND2 * y * z,
        _BAND2 / (2 * sqrt(3)) * (3 * z.square() - 1),
        -_BAND2 * x * z,
        _BAND2 / 2 * (x.square() - y.square()),
    ]
    return torch.stack(terms, dim=-1)


def sh_derivative(normals: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 9 3"]:
    """How `sh_basis` changes with x, y and z.

    Args:
        normals: of unit length.

    Raises:
        ShapeError: the last axis is not 3.
    """
    check_shape("normals", normals, 3)
    x, y, z = (_BAND2 * part for part in normals.unbind(-1))
    zero = torch.zeros_like(x)
    one = torch.full_like(x, _BAND1)
    terms = [
        (zero, zero, zero),
        (zero, -one, zero),
        (zero, zero, one),
        (-one, zero, zero),
        (y, x, zero),
        (zero, -z, -y),
        (zero, zero, sqrt(3) * z),
        (-z, zero, -x),
        (x, -y, zero),
    ]
    return torch.stack([torch.stack(term, dim=-1) for term in terms], dim=-2)


def irradiance(
    illumination: Float[Tensor, "*#batch 9 3"], normals: Float[Tensor, "*#batch V 3"]
) -> Float[Tensor, "*batch V 3"]:
    """Light per channel that reaches a surface; its colour is albedo times this.

    Args:
        illumination: coefficients of R, G and B; zero is a neutral grey light.
        normals: of unit length, in the camera frame.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("illumination", illumination, 9, 3)
    check_shape("normals", normals, None, 3)
    return sh_basis(normals) @ illumination + AMBIENT * _BAND0
