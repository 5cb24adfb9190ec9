"""What a mesh file can hold: one coloured or textured surface that can be deformed.

Positions are millimetres in the model frame: +x to the subject's left, +y up, +z out of the
face. Colours are RGB in [0, 1] as in a picture, so sRGB-encoded; a writer whose format wants
linear light converts.
"""

from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.models.skeleton import Skeleton

__all__ = ["Surface", "split_seams"]


@dataclass(frozen=True, eq=False)
class Surface(Record):
    """A triangle mesh with what can be seen of it, and named ways to deform it.

    Args:
        vertices: positions in millimetres.
        faces: vertex indices, counter-clockwise seen from outside.
        normals: unit vectors.
        colours: RGB of each vertex.
        uv: texture coordinates, (0, 0) at the lower left.
        uv_faces: for each face, the indices into `uv` of its corners.
        texture: the picture that `uv` points into; it hides `colours` where both are given.
        relief: likewise, normals in tangent space, green up; -1 to 1 is 0 to 1.
        targets: what each named deformation adds to `vertices` at weight 1.
        weights: the weight that each of `targets` has when the file is opened; a missing one
            is 0.
        parts: the faces of each named part; none if it is one piece.
        painted: names of parts that show `colours` also where there is a texture.
        skeleton: joints that move the vertices as they are.

    Raises:
        ShapeError: an array lacks its axes.
        ParameterError: a vertex is not finite, a face points to no vertex, a texture has no
            coordinates, a weight has no target, or parts do not cover the faces.
    """

    vertices: Float[Tensor, "V 3"]
    faces: Int[Tensor, "F 3"]
    normals: Float[Tensor, "V 3"] | None = None
    colours: Float[Tensor, "V 3"] | None = None
    uv: Float[Tensor, "U 2"] | None = None
    uv_faces: Int[Tensor, "F 3"] | None = None
    texture: Float[Tensor, "H W 3"] | None = None
    relief: Float[Tensor, "h w 3"] | None = None
    targets: dict[str, Float[Tensor, "V 3"]] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    parts: dict[str, Int[Tensor, " n"]] = field(default_factory=dict)
    painted: frozenset[str] = frozenset()
    skeleton: Skeleton | None = None

    def __post_init__(self) -> None:
        size = len(self.vertices)
        check_shape("vertices", self.vertices, None, 3)
        check_finite("vertices", self.vertices)
        check_shape("faces", self.faces, None, 3)
        _check_indices("faces", self.faces, size)
        named = {"normals": self.normals, "colours": self.colours}
        named |= {f"target {name}": offset for name, offset in self.targets.items()}
        for name, value in named.items():
            if value is not None:
                check_shape(name, value, size, 3)
                check_finite(name, value)
        unknown = sorted(set(self.weights) - set(self.targets))
        if unknown:
            raise ParameterError(f"weights name {', '.join(unknown)}, which are no targets")
        self._check_texture()
        if self.parts:
            faces = torch.cat(list(self.parts.values())).sort().values
            if not torch.equal(faces, torch.arange(len(self.faces)).to(faces)):
                raise ParameterError("parts must name every face once")
        if not self.painted <= set(self.parts) or (self.painted and self.colours is None):
            raise ParameterError("painted must name parts of a surface with colours")
        if self.skeleton is not None:
            check_shape("skeleton.weights", self.skeleton.weights, size, None)

    def in_one_piece(self) -> "Surface":
        """The same surface without parts and skeleton."""
        return replace(self, parts={}, painted=frozenset(), skeleton=None)

    def _check_texture(self) -> None:
        if (self.uv is None) != (self.uv_faces is None):
            raise ParameterError("uv and uv_faces must be given together")
        if self.uv is not None and self.uv_faces is not None:
            check_shape("uv", self.uv, None, 2)
            check_shape("uv_faces", self.uv_faces, len(self.faces), 3)
            _check_indices("uv_faces", self.uv_faces, len(self.uv))
        for name, picture in {"texture": self.texture, "relief": self.relief}.items():
            if picture is not None:
                check_shape(name, picture, None, None, 3)
                if self.uv is None:
                    raise ParameterError(f"a {name} needs uv and uv_faces")


def split_seams(
    faces: Int[Tensor, "F 3"], uv_faces: Int[Tensor, "F 3"]
) -> tuple[Int[Tensor, " N"], Int[Tensor, " N"], Int[Tensor, "F 3"]]:
    """Duplicates vertices along texture seams, so that one index serves both buffers.

    Args:
        faces: indices into the vertices.
        uv_faces: indices into the texture coordinates.

    Returns:
        For each new vertex its old vertex and its texture coordinate, and the faces.
    """
    check_shape("uv_faces", uv_faces, *faces.shape)
    size = int(uv_faces.max()) + 1 if uv_faces.numel() else 1
    pairs = faces.long() * size + uv_faces  # plain numbers are sorted much faster than rows
    unique, index = torch.unique(pairs, return_inverse=True)
    return (unique // size).to(faces), (unique % size).to(uv_faces), index


def _check_indices(name: str, indices: Tensor, size: int) -> None:
    if indices.numel() and not 0 <= int(indices.min()) <= int(indices.max()) < size:
        raise ParameterError(
            f"{name} must hold indices from 0 to {size - 1}, got {int(indices.min())} to "
            f"{int(indices.max())}"
        )
