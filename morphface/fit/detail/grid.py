"""The part of a texture that shows the face, and how lengths on the surface are there.

Heights live at the corners of texels, so that their slopes are had at texel centres, where photos
are looked up.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.records import Record
from morphface.geometry.mesh import normalized, vertex_normals
from morphface.geometry.tangents import face_steps, texture_tangents
from morphface.models import MorphableModel
from morphface.render.detail import layout_of
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments
from morphface.render.unwrap import rasterize_uv

__all__ = ["Grid", "Ground"]

_LEAST = 0.05  # of a face's corners: how far each is of the face


@dataclass(frozen=True, eq=False)
class Ground(Record):
    """The surface at the n texels of a grid, in one pose and any frame.

    Args:
        points: in millimetres.
        normals: of unit length.
        inverse: from a vector along the surface, in millimetres, to steps of columns and rows; its
            transpose takes slopes along columns and rows to the gradient on the surface.
        tangents: as of `texture_tangents`, blended.
    """

    points: Float[Tensor, "n 3"]
    normals: Float[Tensor, "n 3"]
    inverse: Float[Tensor, "n 2 3"]
    tangents: Float[Tensor, "n 4"]

    @cached_property
    def metric(self) -> Float[Tensor, "n 2 2"]:
        """The squared gradient on the surface, from slopes along columns and rows."""
        return self.inverse @ self.inverse.mT

    @cached_property
    def pitch(self) -> float:
        """Millimetres between texels, the median."""
        area = torch.linalg.det(self.metric[::7]).clamp(min=1e-12).rsqrt()
        return float(area.median().sqrt())


@dataclass(frozen=True, eq=False)
class Grid(Record):
    """The texels of a face.

    Args:
        size: height and width of the whole texture.
        corner: row and column of the part's first texel.
        mask: which texels of the part are of the face.
        found: the faces that those show, in a row.
    """

    size: int
    corner: tuple[int, int]
    mask: Bool[Tensor, "R C"]
    found: Fragments

    @classmethod
    def of(cls, model: MorphableModel, size: int) -> "Grid":
        """The texels that show the model's face.

        Args:
            model: with texture coordinates.
            size: height and width of the texture.

        Raises:
            ModelError: the model has no texture coordinates.
        """
        found = rasterize_uv(*layout_of(model), size)
        face = (model.regions or {}).get("face", torch.ones(model.size))
        shows = (face[model.faces.long()] > _LEAST).all(1)
        inside = found.mask[0] & shows[found.face[0].clamp(min=0)]
        rows, columns = (torch.nonzero(inside.any(dim=axis))[:, 0] for axis in (1, 0))
        part = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
        mask = inside[part].contiguous()
        chosen = found.map(lambda values: values[0][part][mask][None, None])
        return cls(size, (part[0].start, part[1].start), mask, chosen)

    def at(self, values: Float[Tensor, "V C"], model: MorphableModel) -> Float[Tensor, "n C"]:
        """Values of vertices at the texels."""
        return interpolate(values[None], model.faces, self.found)[0, 0]

    def ground(self, model: MorphableModel, vertices: Float[Tensor, "V 3"]) -> Ground:
        """The surface of `vertices` at the texels."""
        normals = vertex_normals(vertices, model.faces)
        both = self.at(torch.cat([vertices, normals], dim=-1), model)
        layout = layout_of(model)
        steps, _ = face_steps(vertices, model.faces, *layout)
        tangents = texture_tangents(vertices, model.faces, *layout)
        steps = steps * steps.new_tensor([1.0, -1.0]) / self.size  # rows go down
        metric = steps.mT @ steps
        empty = torch.linalg.det(metric) < 1e-9 * metric.diagonal(dim1=1, dim2=2).amax(1) ** 2
        metric = metric + (empty[:, None, None] | (metric.sum((1, 2)) == 0)[:, None, None]) * (
            torch.eye(2).to(metric)
        )
        inverse = torch.linalg.solve(metric, steps.mT)
        place = self.found.face[0, 0]
        turned = interpolate(tangents[None], model.uv_faces, self.found)[0, 0]  # type: ignore[arg-type]
        return Ground(both[:, :3], normalized(both[:, 3:]), inverse[place], turned)

    def spread(self, values: Float[Tensor, "n *c"]) -> Float[Tensor, "R C *c"]:
        """Values of texels as a picture of the part; zero elsewhere."""
        out = values.new_zeros(*self.mask.shape, *values.shape[1:])
        out[self.mask] = values
        return out

    def whole(self, values: Float[Tensor, "n *c"]) -> Float[Tensor, "S S *c"]:
        """The same as a picture of the whole texture."""
        out = values.new_zeros(self.size, self.size, *values.shape[1:])
        (top, left), (height, width) = self.corner, self.mask.shape
        out[top : top + height, left : left + width] = self.spread(values)
        return out
