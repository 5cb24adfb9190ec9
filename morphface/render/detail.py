"""Relief that is finer than a mesh: heights and normals in its texture, on whatever it does.

A map of normals is in tangent space: x along growing u, y along growing v (green points up), z
along the normal of the mesh, as glTF and OpenGL have it. It lies on the surface, so that it turns
and bends with it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ModelError
from morphface.core.records import Record
from morphface.geometry.mesh import normalized
from morphface.geometry.tangents import texture_tangents
from morphface.models import MorphableModel
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments
from morphface.render.texture import sample_texture

__all__ = ["Detail", "detail_at", "detailed_normals", "layout_of"]


@dataclass(frozen=True, eq=False)
class Detail(Record):
    """Relief in the texture of a model.

    Args:
        displacement: along the normal, in millimetres; 0 where nothing is known.
        normals: in tangent space, of unit length; (0, 0, 1) where nothing is known.
        shading: logarithm of what the relief does to the light of the photos, by which their
            albedo is too large; 0 where nothing is known.

    Raises:
        ShapeError: an argument lacks the axes above.
        ParameterError: a value is not finite.
    """

    displacement: Float[Tensor, "S S"]
    normals: Float[Tensor, "S S 3"]
    shading: Float[Tensor, "S S"]

    def __post_init__(self) -> None:
        size = self.displacement.shape
        check_shape("displacement", self.displacement, None, None)
        check_shape("normals", self.normals, *size, 3)
        check_shape("shading", self.shading, *size)
        for name in ("displacement", "normals", "shading"):
            check_finite(name, getattr(self, name))


def layout_of(model: MorphableModel) -> tuple[Float[Tensor, "N 2"], Int[Tensor, "F 3"]]:
    """The texture coordinates of a model, and which of them each face has.

    Raises:
        ModelError: the model has none.
    """
    if model.uv is None or model.uv_faces is None:
        raise ModelError(
            f"detail needs texture coordinates, and model {model.name!r} has none; "
            "use a model that has, as open-head"
        )
    return model.uv, model.uv_faces


def detail_at(
    model: MorphableModel, picture: Float[Tensor, "S S C"], found: Fragments
) -> Float[Tensor, "B H W C"]:
    """Values of a texture at the pixels of a mesh; zero on background.

    Raises:
        ModelError: the model has no texture coordinates.
    """
    uv, uv_faces = layout_of(model)
    return sample_texture(picture[None], interpolate(uv[None], uv_faces, found), mask=found.mask)


def detailed_normals(
    model: MorphableModel,
    detail: Detail,
    vertices: Float[Tensor, "B V 3"],
    normals: Float[Tensor, "B H W 3"],
    found: Fragments,
) -> Float[Tensor, "B H W 3"]:
    """Unit normals at the pixels with the relief; zero on background.

    Args:
        model: whose texture it is.
        detail: of the surface.
        vertices: of the meshes, in any frame.
        normals: unit ones of the mesh at the pixels, in that frame.
        found: which face each pixel sees.

    Raises:
        ModelError: the model has no texture coordinates.
    """
    told = detail_at(model, detail.normals, found)
    layout = layout_of(model)
    tangents = torch.stack([texture_tangents(one, model.faces, *layout) for one in vertices])
    at = interpolate(tangents, layout[1], found)
    along = at[..., :3] - (at[..., :3] * normals).sum(-1, keepdim=True) * normals
    along = normalized(along)
    up = torch.linalg.cross(normals, along) * at[..., 3:].sign()
    turned = told[..., :1] * along + told[..., 1:2] * up + told[..., 2:] * normals
    return normalized(turned) * found.mask[..., None]
