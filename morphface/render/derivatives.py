"""How fast what is seen changes from one pixel to the next."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments

__all__ = ["screen_derivatives"]


def screen_derivatives(
    attributes: Float[Tensor, "#B A C"],
    attribute_faces: Int[Tensor, "F 3"],
    screen: Float[Tensor, "B V 3"],
    faces: Int[Tensor, "F 3"],
    fragments: Fragments,
    *,
    perspective: bool = True,
) -> Float[Tensor, "B H W C 2"]:
    """How fast interpolated `attributes` change along x and y of the screen, per pixel.

    In closed form for each face, so that a face smaller than a pixel has the right ones too; zero
    on background, and without gradients.

    Args:
        attributes: values at corners, such as texture coordinates.
        attribute_faces: for each face, where in `attributes` its corners are.
        screen: what was rasterized.
        faces: that were rasterized.
        fragments: what `rasterize` found.
        perspective: as it was in `rasterize`.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("attributes", attributes, None, None, None)
    check_shape("attribute_faces", attribute_faces, len(faces), 3)
    check_shape("screen", screen, None, None, 3)
    corner = screen.detach()[:, faces.long()]
    value = attributes.detach()[:, attribute_faces.long()].expand(len(screen), -1, -1, -1)
    if perspective:  # what is linear on the screen is value / depth and 1 / depth
        nearness = 1 / corner[..., 2:]
        value = torch.cat([value * nearness, nearness], dim=-1)
    image = torch.arange(len(screen), device=screen.device)[:, None, None]
    slopes = _slopes(corner, value)[image, fragments.face.clamp(min=0)]
    if perspective:
        here = interpolate(attributes.detach(), attribute_faces, fragments.detach())
        depth = fragments.depth.detach()[..., None, None]
        slopes = (slopes[..., :-1, :] - here[..., None] * slopes[..., -1:, :]) * depth
    return torch.where(fragments.mask[..., None, None], slopes, 0.0)


def _slopes(
    corner: Float[Tensor, "B F 3 3"], value: Float[Tensor, "B F 3 C"]
) -> Float[Tensor, "B F C 2"]:
    """Of the linear functions on the screen that have each `value` at its `corner`."""
    origin = corner[..., 0, :2]
    (x1, y1), (x2, y2) = ((corner[..., k, :2] - origin).unbind(-1) for k in (1, 2))
    first, second = ((value[..., k, :] - value[..., 0, :]) for k in (1, 2))
    along_x = first * y2[..., None] - second * y1[..., None]
    along_y = second * x1[..., None] - first * x2[..., None]
    area = (x1 * y2 - x2 * y1)[..., None, None]
    slopes = torch.stack([along_x, along_y], dim=-1) / area
    return torch.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)
