"""From normals and colours to light: plain shading for overlays, harmonics for fitting.

Normals are in the camera frame, +z towards the viewer. Works at vertices and at pixels alike.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.colour import linear_to_srgb, srgb_to_linear
from morphface.core.errors import ParameterError
from morphface.geometry.camera import Camera
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import rasterize

__all__ = ["render_mesh", "shade_pixels", "shade_plain", "shade_sh"]

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


def render_mesh(
    vertices: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    camera: Camera,
    *,
    colours: Float[Tensor, "#B V 3"] | None = None,
    samples: int = 2,
    backend: str = "auto",
) -> Float[Tensor, "B H W 4"]:
    """A picture of a mesh with its coverage as alpha, for overlays and contact sheets.

    The colour is not multiplied by alpha, and black on background.

    Args:
        vertices: positions in the camera frame.
        faces: vertex indices, counter-clockwise seen from outside.
        camera: what sees them.
        colours: per vertex, shown as they are; None shows grey clay under a lamp.
        samples: per pixel along each axis; 1 leaves edges jagged.
        backend: as in `rasterize`.

    Raises:
        ShapeError: an argument lacks the axes above.
        ParameterError: `samples` is less than 1.
    """
    check_shape("vertices", vertices, None, None, 3)
    if samples < 1:
        raise ParameterError(f"samples must be at least 1, got {samples}")
    if colours is None:
        colours = shade_plain(vertex_normals(vertices, faces))
    scale = vertices.new_tensor([samples, samples, 1.0])
    height, width = (side * samples for side in camera.size)
    perspective = camera.weak_depth is None
    fragments = rasterize(
        camera.project(vertices) * scale,
        faces,
        (height, width),
        backend=backend,
        perspective=perspective,
    )
    colour = interpolate(colours, faces, fragments)
    image = torch.cat([colour, fragments.mask[..., None].to(colour.dtype)], dim=-1)
    return _shrunk(image, samples)


def _shrunk(image: Tensor, samples: int) -> Tensor:
    """Mean over blocks of pixels; colour that of the covered part."""
    if samples == 1:
        return image
    blocks = image.unflatten(2, (-1, samples)).unflatten(1, (-1, samples)).mean(dim=(2, 4))
    alpha = blocks[..., 3:]
    return torch.cat([blocks[..., :3] / torch.where(alpha > 0, alpha, 1.0), alpha], dim=-1)
