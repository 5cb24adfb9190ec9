"""What a photo shows of a surface: colours at its points or in its texture, and how far to trust.

Confidence is the product of three: how straight the surface is seen, how far the point is on the
picture from where the surface ends or hides another part of itself (a fit is a little off, and
beyond the edge lies something else), and whether the point is seen at all. It is 0 for what is
hidden or outside the picture, so that several photos can be blended by it.

Points are in the camera frame, in millimetres; textures follow `render/texture.py`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.render.derivatives import screen_derivatives
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments, rasterize
from morphface.render.sight import Sight, trust
from morphface.render.texture import sample_texture

__all__ = ["Sight", "Unwrapped", "pad_charts", "rasterize_uv", "sample_photo", "unwrap"]


@dataclass(frozen=True, eq=False)
class Unwrapped(Record):
    """What a photo shows of some points of a surface, or of the texels of its texture.

    Args:
        colour: in the photo at each point; of something else where the point is not visible.
        confidence: how far the colour may be trusted to be that of the point, 0 to 1.
        visible: whether the point is seen: inside the picture, turned to the camera, not hidden.
    """

    colour: Float[Tensor, "*points 3"]
    confidence: Float[Tensor, "*points"]
    visible: Bool[Tensor, "*points"]


def sample_photo(
    sight: Sight,
    points: Float[Tensor, "N 3"],
    normals: Float[Tensor, "N 3"],
    *,
    derivatives: Float[Tensor, "N 2 2"] | None = None,
) -> Unwrapped:
    """What the photo shows of `points` of the mesh's surface.

    Colours are differentiable in the pixels and in `points`, confidences are constants.

    Args:
        sight: the photo and the mesh in it.
        points: of the surface, in the camera frame.
        normals: unit normals there, in the camera frame.
        derivatives: of the position in the photo in pixels (last axis but one) from each point to
            its two neighbours (last axis), where these are farther apart than pixels: the colour
            is then a mean over as much. None looks at single pixels.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("points", points, None, 3)
    check_shape("normals", normals, len(points), 3)
    view = sight.view
    confidence, visible = trust(view, sight, points.detach(), normals.detach())
    place = view.place(sight.camera.project(points)[:, :2])
    slopes = None
    if derivatives is not None:
        check_shape("derivatives", derivatives, len(points), 2, 2)
        slopes = (derivatives / derivatives.new_tensor(view.extent)[:, None])[None, None]
    # Texture coordinates count from below.
    uv = torch.stack([place[:, 0], 1 - place[:, 1]], dim=-1)[None, None]
    (left, top), (width, height) = view.corner, view.extent
    image = sight.pixels[None, top : top + height, left : left + width]
    colour = sample_texture(image, uv, derivatives=slopes)[0, 0]
    return Unwrapped(colour, confidence, visible)


def unwrap(
    sight: Sight, uv: Float[Tensor, "U 2"], uv_faces: Int[Tensor, "F 3"], size: int
) -> Unwrapped:
    """The photo in the mesh's texture; all is zero where the texture shows no part of the mesh.

    Args:
        sight: the photo and the mesh in it.
        uv: texture coordinates, (0, 0) at the lower left.
        uv_faces: for each face of the mesh, the indices into `uv` of its corners.
        size: height and width of the texture.

    Raises:
        ShapeError: an argument lacks the axes above.
        ParameterError: `size` is less than 1.
    """
    check_shape("uv_faces", uv_faces, len(sight.faces), 3)
    found = rasterize_uv(uv, uv_faces, size)
    mask = found.mask[0]
    normals = vertex_normals(sight.vertices, sight.faces)
    both = torch.cat([sight.vertices, normals], dim=-1)
    points, directions = interpolate(both[None], sight.faces, found)[0][mask].split(3, dim=-1)
    photo = sight.camera.project(sight.vertices)[None, :, :2]
    flat = _flat(uv, size)
    slopes = screen_derivatives(photo, sight.faces, flat, uv_faces, found, perspective=False)
    seen = sample_photo(sight, points, normalized(directions), derivatives=slopes[0][mask])

    def spread(values: Tensor) -> Tensor:
        blank = values.new_zeros(size, size, *values.shape[1:])
        return blank.index_put(torch.nonzero(mask, as_tuple=True), values)

    return seen.map(spread)


def rasterize_uv(uv: Float[Tensor, "U 2"], uv_faces: Int[Tensor, "F 3"], size: int) -> Fragments:
    """Which point of the surface each texel of a texture shows, as a batch of one.

    Args:
        uv: texture coordinates, (0, 0) at the lower left.
        uv_faces: for each face, the indices into `uv` of its corners.
        size: height and width of the texture.

    Raises:
        ShapeError: an argument lacks the axes above.
        ParameterError: `size` is less than 1.
    """
    check_shape("uv", uv, None, 2)
    if size < 1:
        raise ParameterError(f"size must be at least 1, got {size}")
    return rasterize(_flat(uv.detach(), size), uv_faces, (size, size), perspective=False)


def pad_charts(
    texture: Float[Tensor, "H W C"], mask: Bool[Tensor, "H W"]
) -> Float[Tensor, "H W C"]:
    """Empty texels take the colour of the nearest full one, so that no seam shows.

    Args:
        texture: whose charts are full.
        mask: which texels are full; if none are, the texture stays as it is.
    """
    if not bool(mask.any()):
        return texture
    nearest = distance_transform_edt(
        ~mask.cpu().numpy(), return_distances=False, return_indices=True
    )
    row, column = torch.from_numpy(np.asarray(nearest)).long().to(texture.device)
    return texture[row, column]


def _flat(uv: Tensor, size: int) -> Tensor:
    """The texture as a screen that everything is equally far from."""
    x, y = uv.unbind(-1)
    return torch.stack([x * size, (1 - y) * size, torch.ones_like(x)], dim=-1)[None]
