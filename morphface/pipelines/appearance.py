"""The colours of a fitted head: what the photo shows of it, and a plausible rest.

What is seen well is sampled from the photo. The rest continues it smoothly, with the details of
the model's mean albedo: the colours are the solution of a Poisson equation over the mesh.
Colours are RGB in [0, 1], encoded as in the photo.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.ndimage import binary_erosion, distance_transform_edt
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu
from torch import Tensor

from morphface.geometry.camera import Camera
from morphface.geometry.mesh import edges, vertex_normals
from morphface.models import MorphableModel
from morphface.render import interpolate, rasterize

__all__ = ["HeadColours", "Sight", "bake_texture", "head_colours", "sample_photo"]

GRAZING = 0.25
"""Cosine between normal and line of sight below which a surface is not sampled."""
FACING = 0.6
"""Cosine above which it is trusted wholly."""
TOLERANCE = 3.0
"""How far behind the nearest surface, in millimetres, a point still counts as seen."""
CLAY = 0.65
_ANCHOR = 1e-4


@dataclass(frozen=True, eq=False)
class Sight:
    """A photo and the head in it.

    Args:
        pixels: the photo.
        camera: that took it.
        vertices: of the head, in the camera frame.
        faces: vertex indices.
    """

    pixels: Float[Tensor, "H W 3"]
    camera: Camera
    vertices: Float[Tensor, "V 3"]
    faces: Int[Tensor, "F 3"]


def sample_photo(
    sight: Sight, points: Float[Tensor, "N 3"], normals: Float[Tensor, "N 3"]
) -> tuple[Float[Tensor, "N 3"], Float[Tensor, " N"]]:
    """Colours of surface points in the photo, and how far each may be trusted, 0 to 1.

    Trust is 0 for what is hidden, seen at a grazing angle, near the silhouette, or outside the
    picture, so that no background gets onto the head.

    Args:
        sight: the photo and the head in it.
        points: of the head's surface, in the camera frame.
        normals: unit normals there, in the camera frame.
    """
    depth = _depth_inside(sight)
    screen = sight.camera.project(points)
    colours = _bilinear(sight.pixels, screen[:, :2])
    hidden = screen[:, 2] > _nearest(depth, screen[:, :2]) + TOLERANCE
    towards = -points if sight.camera.weak_depth is None else torch.tensor([0.0, 0.0, 1.0])
    towards = torch.nn.functional.normalize(towards.expand_as(points), dim=-1)
    cosine = (normals * towards).sum(-1)
    trust = ((cosine - GRAZING) / (FACING - GRAZING)).clamp(0, 1)
    return colours, torch.where(hidden, 0.0, trust)


@dataclass(frozen=True, eq=False)
class HeadColours:
    """A colour for every vertex of a head.

    Args:
        colours: of the vertices.
        likely: whether what the photo shows there is the head, 0 to 1: hair over an ear, a
            collar, or background beside a badly fitted jaw are not.
    """

    colours: Float[Tensor, "V 3"]
    likely: Float[Tensor, " V"]


def head_colours(model: MorphableModel, sight: Sight) -> HeadColours:
    """A colour for every vertex of the head: seen ones from the photo, the rest continued."""
    normals = vertex_normals(sight.vertices, sight.faces)
    colours, trust = sample_photo(sight, sight.vertices, normals)
    guide = _guide(model, colours, trust)
    likely = _likely(model, colours, guide, trust)
    continued = _continued(sight.faces, colours, trust * likely, guide)
    return HeadColours(continued.clamp(0, 1), likely)


def bake_texture(
    model: MorphableModel, sight: Sight, head: HeadColours, size: int = 1024
) -> Float[Tensor, "S S 3"] | None:
    """A texture in the model's layout: the photo where it is seen well, `head` elsewhere.

    Args:
        model: whose layout of texture coordinates is used; without one there is no texture.
        sight: the photo and the head in it.
        head: colours of the vertices, for what the photo does not show.
        size: of the texture in pixels.
    """
    if model.uv is None or model.uv_faces is None:
        return None
    flat = torch.cat([model.uv, torch.ones(len(model.uv), 1)], dim=-1)
    flat = flat * torch.tensor([1.0, -1.0, 1.0]) + torch.tensor([0.0, 1.0, 0.0])
    screen = flat * torch.tensor([size, size, 1.0])
    found = rasterize(screen[None], model.uv_faces, (size, size), perspective=False)
    normals = vertex_normals(sight.vertices, sight.faces)
    packed = torch.cat([sight.vertices, normals, head.colours, head.likely[:, None]], dim=-1)
    texels = interpolate(packed[None], sight.faces, found)[0]
    mask = found.mask[0]
    points, directions, below, likely = texels[mask].split([3, 3, 3, 1], dim=-1)
    directions = torch.nn.functional.normalize(directions, dim=-1)
    seen, trust = sample_photo(sight, points, directions)
    texture = torch.zeros(size, size, 3)
    texture[mask] = torch.lerp(below, seen, trust[:, None] * likely)
    return _padded(texture, mask)


def _depth_inside(sight: Sight) -> Float[Tensor, "H W"]:
    """Depth of the head, 0 (hides everything) on background and next to the silhouette."""
    screen = sight.camera.project(sight.vertices)
    perspective = sight.camera.weak_depth is None
    found = rasterize(screen[None], sight.faces, sight.camera.size, perspective=perspective)
    mask = found.mask[0].numpy()
    rows = int(mask.any(axis=1).sum())
    inside = binary_erosion(mask, iterations=max(1, rows // 60), border_value=1)
    return torch.where(torch.from_numpy(inside), found.depth[0], 0.0)


def _nearest(image: Float[Tensor, "H W"], spots: Float[Tensor, "N 2"]) -> Float[Tensor, " N"]:
    height, width = image.shape
    column, row = spots.floor().long().unbind(-1)
    outside = (column < 0) | (row < 0) | (column >= width) | (row >= height)
    values = image[row.clamp(0, height - 1), column.clamp(0, width - 1)]
    return torch.where(outside, 0.0, values)


def _bilinear(image: Float[Tensor, "H W 3"], spots: Float[Tensor, "N 2"]) -> Float[Tensor, "N 3"]:
    height, width = image.shape[:2]
    grid = spots / torch.tensor([width / 2, height / 2]) - 1
    planes = image.permute(2, 0, 1)[None]
    found = torch.nn.functional.grid_sample(
        planes, grid[None, None], padding_mode="border", align_corners=False
    )
    return found[0, :, 0].T


def _guide(
    model: MorphableModel, colours: Float[Tensor, "V 3"], trust: Float[Tensor, " V"]
) -> Float[Tensor, "V 3"]:
    """The model's mean albedo in the light of the photo."""
    if model.reflectance is None:
        albedo = torch.full((model.size, 3), CLAY)
    else:
        albedo = model.reflectance.mean.clamp(0.02, 1)
    weight = trust * model.regions.get("skin", torch.ones(model.size))
    if float(weight.sum()) < 1:
        return albedo
    ratio = (colours / albedo).clamp(0, 4)
    chosen = ratio[weight > 0.5 * weight.max()]
    return albedo * chosen.median(dim=0).values


def _likely(
    model: MorphableModel,
    colours: Float[Tensor, "V 3"],
    guide: Float[Tensor, "V 3"],
    trust: Float[Tensor, " V"],
) -> Float[Tensor, " V"]:
    """Near 1 where the photo's colour may be that of the head, strictest beside the face."""
    face = model.regions.get("face", torch.ones(model.size))
    limit = 0.45 + 1.8 * face * trust
    difference = (torch.log(colours + 0.05) - torch.log(guide + 0.05)).abs().mean(dim=-1)
    return torch.sigmoid((limit - difference) * 20)


def _continued(
    faces: Tensor,
    colours: Float[Tensor, "V 3"],
    trust: Float[Tensor, " V"],
    guide: Float[Tensor, "V 3"],
) -> Float[Tensor, "V 3"]:
    """Colours that are the trusted ones where there are some and vary like `guide` elsewhere."""
    laplacian = _laplacian(faces, len(guide))
    data = (trust.double().numpy() * 10) ** 2
    target = guide.double().numpy()
    system = laplacian + diags(data + _ANCHOR)
    right = laplacian @ target + data[:, None] * colours.double().numpy() + _ANCHOR * target
    return torch.from_numpy(splu(csc_matrix(system)).solve(right)).float()


def _laplacian(faces: Tensor, size: int) -> csc_matrix:
    a, b = edges(faces).numpy().T
    weight = coo_matrix((np.ones(len(a)), (a, b)), shape=(size, size))
    weight = weight + weight.T
    return csc_matrix(diags(np.asarray(weight.sum(axis=1)).ravel()) - weight)


def _padded(texture: Float[Tensor, "S S 3"], mask: Tensor) -> Float[Tensor, "S S 3"]:
    """Empty texels take the colour of the nearest full one, so that no seam shows."""
    nearest = distance_transform_edt(~mask.numpy(), return_distances=False, return_indices=True)
    row, column = torch.from_numpy(np.asarray(nearest)).long()
    return texture[row, column]
