"""How fast what is seen changes from one pixel to the next."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
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
    mask = fragments.mask
    image, *_ = torch.nonzero(mask, as_tuple=True)
    face = fragments.face[mask]
    corner = screen.detach()[image[:, None], faces[face].long()]
    shared = image if len(attributes) > 1 else torch.zeros_like(image)
    value = attributes.detach()[shared[:, None], attribute_faces[face].long()]
    if perspective:  # what is linear on the screen is value / depth and 1 / depth
        nearness = 1 / corner[..., 2:]
        here = (fragments.barycentric.detach()[mask][..., None] * value).sum(-2)
        depth = fragments.depth.detach()[mask][:, None, None]
        value = (value - here[:, None]) * nearness * depth
    slopes = value.new_zeros(*mask.shape, value.shape[-1], 2)
    slopes[mask] = _slopes(corner, value)
    return slopes


def _slopes(corner: Float[Tensor, "N 3 3"], value: Float[Tensor, "N 3 C"]) -> Tensor:
    """Of the linear function on the screen that has each `value` at its `corner`."""
    (x1, y1), (x2, y2) = ((corner[:, k, :2] - corner[:, 0, :2]).unbind(-1) for k in (1, 2))
    inverse = torch.stack([torch.stack([y2, -x2], -1), torch.stack([-y1, x1], -1)], 1)
    rises = (value[:, 1:] - value[:, :1]).mT
    slopes = rises @ inverse / (x1 * y2 - x2 * y1)[:, None, None]
    return torch.nan_to_num(slopes, nan=0.0, posinf=0.0, neginf=0.0)
