"""Distant, smooth light as nine spherical harmonics.

A Lambertian surface sees of a distant light little more than bands 0 to 2 (Ramamoorthi and
Hanrahan 2001). The constants below already hold the cosine lobe's attenuation. Normals and
coefficients are in the camera frame: the light stays when the head turns.
"""

from functools import cache
from math import pi, sqrt

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape

__all__ = [
    "AMBIENT",
    "irradiance",
    "rotate_light",
    "sample_directions",
    "sh_basis",
    "sh_derivative",
    "sh_project",
]

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

    The result has the precision of `normals`.

    Args:
        illumination: coefficients of R, G and B; zero is a neutral grey light.
        normals: of unit length, in the camera frame.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("illumination", illumination, 9, 3)
    check_shape("normals", normals, None, 3)
    return sh_basis(normals) @ illumination.to(normals.dtype) + AMBIENT * _BAND0


def sh_project(values: Float[Tensor, "*batch 12 C"]) -> Float[Tensor, "*batch 9 C"]:
    """Coefficients of a function of the direction that is a sum of the nine terms.

    Args:
        values: of the function at `sample_directions()`. Those 12 are a spherical design of
            order 5, so that what has no more than the nine terms is met exactly.

    Raises:
        ShapeError: there are not 12 values.
    """
    check_shape("values", values, 12, None)
    return _inverse().to(values) @ values


def sample_directions() -> Float[Tensor, "12 3"]:
    """The corners of an icosahedron: the directions that `sh_project` is told of."""
    golden = (1 + sqrt(5)) / 2
    corners = [(0.0, a, b * golden) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    turned = [point[k:] + point[:k] for k in range(3) for point in corners]
    return torch.tensor(turned, dtype=torch.float64) / sqrt(1 + golden**2)


def rotate_light(
    illumination: Float[Tensor, "*#batch 9 3"], rotation: Float[Tensor, "*#batch 3"]
) -> Float[Tensor, "*batch 9 3"]:
    """The same light after it was turned, exactly: each band stays within itself.

    Args:
        illumination: coefficients of R, G and B.
        rotation: rotation vectors in the camera frame, in radians.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("illumination", illumination, 9, 3)
    check_shape("rotation", rotation, 3)
    matrix = roma.rotvec_to_rotmat(rotation.double())
    before = sh_basis(sample_directions().to(matrix) @ matrix)
    return sh_project(before @ illumination.double()).to(illumination)


@cache
def _inverse() -> Float[Tensor, "9 12"]:
    return torch.linalg.pinv(sh_basis(sample_directions()))
