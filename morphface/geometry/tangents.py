"""Which way a texture's right and up are on the surface, as maps of normals need to know."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.geometry.mesh import normalized

__all__ = ["face_steps", "texture_tangents"]

_LEAST = 1e-12


def face_steps(
    vertices: Float[Tensor, "V 3"],
    faces: Int[Tensor, "F 3"],
    uv: Float[Tensor, "U 2"],
    uv_faces: Int[Tensor, "F 3"],
) -> tuple[Float[Tensor, "F 3 2"], Float[Tensor, " F"]]:
    """How positions change with u and v on each face, and twice its signed area in the texture.

    Zero on faces without area there.

    Args:
        vertices: positions.
        faces: vertex indices.
        uv: texture coordinates.
        uv_faces: for each face, the indices into `uv` of its corners.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    check_shape("vertices", vertices, None, 3)
    check_shape("uv", uv, None, 2)
    check_shape("uv_faces", uv_faces, *faces.shape)
    corners, flat = vertices[faces.long()], uv[uv_faces.long()]
    sides = corners[:, 1:] - corners[:, :1]  # F x 2 x 3
    across = flat[:, 1:] - flat[:, :1]
    (u1, v1), (u2, v2) = (side.unbind(-1) for side in across.unbind(1))
    area = u1 * v2 - u2 * v1
    inverse = torch.stack([torch.stack([v2, -v1], -1), torch.stack([-u2, u1], -1)], 1)
    empty = area.abs() < _LEAST
    inverse = inverse / torch.where(empty, 1.0, area)[:, None, None]
    steps = (inverse @ sides).mT
    return torch.where(empty[:, None, None], 0.0, steps), area


def texture_tangents(
    vertices: Float[Tensor, "V 3"],
    faces: Int[Tensor, "F 3"],
    uv: Float[Tensor, "U 2"],
    uv_faces: Int[Tensor, "F 3"],
) -> Float[Tensor, "U 4"]:
    """Direction of growing u at each texture coordinate, and a sign, as glTF has them.

    The first three are a unit vector, the mean of the faces around, weighted by their area in the
    texture; zero where there is none. The sign is 1 where `cross(normal, tangent)` is the way up in
    the texture, and -1 where the texture is mirrored.

    Args:
        vertices: positions.
        faces: vertex indices.
        uv: texture coordinates, (0, 0) at the lower left.
        uv_faces: for each face, the indices into `uv` of its corners.

    Raises:
        ShapeError: an argument lacks the axes above.
    """
    steps, area = face_steps(vertices, faces, uv, uv_faces)
    along = steps[..., 0] * area.abs()[:, None]
    total, signs = along.new_zeros(len(uv), 3), along.new_zeros(len(uv))
    for corner in uv_faces.long().unbind(1):
        total.index_add_(0, corner, along)
        signs.index_add_(0, corner, area)
    return torch.cat([normalized(total), torch.where(signs < 0, -1.0, 1.0)[:, None]], dim=-1)
