"""From normals and colours to light: plain shading for overlays, harmonics for fitting.

Normals are in the camera frame, +z towards the viewer. Works at vertices and at pixels alike.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.colour import linear_to_srgb, srgb_to_linear
from morphface.geometry.mesh import normalized
from morphface.geometry.spherical_harmonics import irradiance

__all__ = ["shade_pixels", "shade_plain", "shade_sh"]

CLAY = (0.80, 0.80, 0.82)


def shade_plain(
    normals: Float[Tensor, "*batch 3"], colour: tuple[float, float, float] = CLAY
) -> Float[Tensor, "*batch 3"]:
    """A matt surface under a lamp at the viewer, a little above and to the left.

    Args:
        normals: of any length but zero; those of background pixels may be zero.
        colour: of the surface where the light falls on it straight.

    Raises:
        ShapeError: the last axis is not 3.
    """
    check_shape("normals", normals, 3)
    lamp = torch.nn.functional.normalize(normals.new_tensor([-0.3, 0.4, 1.0]), dim=0)
    facing = (torch.nn.functional.normalize(normals, dim=-1) @ lamp).clamp(min=0)
    return (0.2 + 0.8 * facing)[..., None] * normals.new_tensor(colour)


def shade_sh(
    albedo: Float[Tensor, "*#batch V 3"],
    normals: Float[Tensor, "*#batch V 3"],
    illumination: Float[Tensor, "*#batch 9 3"],
    *,
    linear_light: bool = False,
) -> Float[Tensor, "*batch V 3"]:
    """Colour of a Lambertian surface under spherical-harmonic light; not clamped.

    Args:
        albedo: RGB, encoded as in a picture.
        normals: of unit length, in the camera frame.
        illumination: nine coefficients for each of R, G and B.
        linear_light: whether light and albedo are multiplied as amounts of light, as in nature,
            and the result is encoded again. Without it picture values are multiplied by the
            light as they are, which is the convention of the field. A light that was estimated
            under one of them is none under the other.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("albedo", albedo, None, 3)
    light = irradiance(illumination, normals)
    if linear_light:
        return linear_to_srgb(srgb_to_linear(albedo) * light)
    return albedo * light


def shade_pixels(
    albedo: Float[Tensor, "#B H W 3"],
    normals: Float[Tensor, "#B H W 3"],
    illumination: Float[Tensor, "#B 9 3"],
    *,
    linear_light: bool = False,
) -> Float[Tensor, "B H W 3"]:
    """As `shade_sh`, for every pixel of images; black where `albedo` is.

    Args:
        albedo: RGB, encoded as in a picture.
        normals: interpolated ones, which need not have unit length; zero on background.
        illumination: nine coefficients for each of R, G and B.
        linear_light: as in `shade_sh`.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("albedo", albedo, None, None, None, 3)
    check_shape("normals", normals, None, *albedo.shape[1:3], 3)
    flat = albedo.flatten(1, 2), normalized(normals).flatten(1, 2)
    shaded = shade_sh(*flat, illumination, linear_light=linear_light)
    return shaded.unflatten(1, albedo.shape[1:3])
