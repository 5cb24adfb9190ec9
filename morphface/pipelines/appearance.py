"""The colours of a fitted head: what the photo shows of it, and a plausible rest.

What is seen well is sampled from the photo. The rest continues it smoothly, with the details of
the model's mean albedo: the colours are the solution of a Poisson equation over the mesh.
Colours are RGB in [0, 1], encoded as in the photo.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu
from torch import Tensor

from morphface.geometry.mesh import edges, vertex_normals
from morphface.models import MorphableModel
from morphface.render import interpolate
from morphface.render.sight import Sight
from morphface.render.unwrap import pad_charts, rasterize_uv, sample_photo, unwrap

__all__ = ["HeadColours", "bake_texture", "head_colours"]

CLAY = 0.65
_ANCHOR = 1e-4


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
    seen = sample_photo(sight, sight.vertices, normals)
    guide = _guide(model, seen.colour, seen.confidence)
    likely = _likely(model, seen.colour, guide, seen.confidence)
    continued = _continued(sight.faces, seen.colour, seen.confidence * likely, guide)
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
    found = rasterize_uv(model.uv, model.uv_faces, size)
    values = torch.cat([head.colours, head.likely[:, None]], dim=-1)
    below, likely = interpolate(values[None], sight.faces, found)[0].split([3, 1], dim=-1)
    seen = unwrap(sight, model.uv, model.uv_faces, size)
    texture = torch.lerp(below, seen.colour, seen.confidence[..., None] * likely)
    return pad_charts(texture, found.mask[0])


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
