"""Points of a surface that get a colour: the texels of its texture, or else its vertices.

All of them are blends of three vertices, so that values go from vertices to points and, averaged,
back; and each knows the point on the other side of the face.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.records import Record
from morphface.models import MorphableModel
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments
from morphface.render.unwrap import pad_charts, rasterize_uv

__all__ = ["SurfacePoints"]

_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class SurfacePoints(Record):
    """N points of a mesh of V vertices.

    Args:
        corners: vertices of the face that each point is on.
        weights: its barycentric coordinates there.
        mirror: the point on the other side of the face; -1 where there is none.
        size: V.
        mask: which texels of a texture the points are, row by row; None for vertices.
    """

    corners: Int[Tensor, "N 3"]
    weights: Float[Tensor, "N 3"]
    mirror: Int[Tensor, " N"]
    size: int
    mask: Bool[Tensor, "S S"] | None = None

    @classmethod
    def of(cls, model: MorphableModel, size: int) -> "SurfacePoints":
        """The texels of a texture of `size`; the vertices of a model without a layout."""
        if model.uv is None or model.uv_faces is None:
            return cls._vertices(model)
        found = rasterize_uv(model.uv, model.uv_faces, size)
        mask = found.mask[0]
        corners, weights = model.faces[found.face[0][mask]].long(), found.barycentric[0][mask]
        partner = _mirrored_corners(model)
        missing = torch.full((len(corners),), -1)
        if partner is None:
            return cls(corners, weights, missing, model.size, mask)
        corner_of = torch.arange(3 * len(model.faces)).reshape(-1, 3)
        other = interpolate(partner.reshape(1, -1, 3), corner_of, found)[0][mask]
        column = (other[:, 0] * size).long().clamp(0, size - 1)
        row = ((1 - other[:, 1]) * size).long().clamp(0, size - 1)
        number = torch.full((size, size), -1)
        number[mask] = torch.arange(len(corners))
        mirror = torch.where(other[:, 2] > 0.999, number[row, column], missing)
        return cls(corners, weights, mirror, model.size, mask)

    @classmethod
    def _vertices(cls, model: MorphableModel) -> "SurfacePoints":
        own = torch.arange(model.size)
        weights = torch.tensor([1.0, 0.0, 0.0]).expand(model.size, 3)
        mirror = torch.full_like(own, -1) if model.mirror is None else model.mirror.long()
        return cls(own[:, None].expand(-1, 3), weights, mirror, model.size)

    def at(self, values: Float[Tensor, "V C"]) -> Float[Tensor, "N C"]:
        """Values of vertices at the points."""
        number = torch.arange(len(self.corners))[None, None]
        places = Fragments(number, self.weights[None, None], torch.zeros(number.shape))
        return interpolate(values[None], self.corners, places)[0, 0]

    def mean(
        self, values: Float[Tensor, "N C"], trust: Float[Tensor, " N"]
    ) -> tuple[Float[Tensor, "V C"], Float[Tensor, " V"]]:
        """Mean of the points around each vertex, and of their trust; 0 where there is none."""
        sums = values.new_zeros(self.size, values.shape[1] + 2)
        rows = torch.cat(
            [values * trust[:, None], trust[:, None], torch.ones_like(values[:, :1])], 1
        )
        for corner in range(3):
            sums.index_add_(0, self.corners[:, corner], rows * self.weights[:, corner, None])
        total, trusted, all_of = sums[:, :-2], sums[:, -2], sums[:, -1]
        mean = total / trusted.clamp(min=_LEAST)[:, None]
        return mean, trusted / all_of.clamp(min=_LEAST)

    def mirrored(self, values: Float[Tensor, "N C"]) -> Float[Tensor, "N C"]:
        """Values of the points on the other side; 0 where there is none."""
        return values[self.mirror] * (self.mirror >= 0)[:, None]

    def image(self, values: Float[Tensor, "N C"]) -> Float[Tensor, "S S C"] | None:
        """Values as a texture whose empty texels are like their neighbours; None for vertices."""
        if self.mask is None:
            return None
        blank = values.new_zeros(*self.mask.shape, values.shape[1])
        blank[self.mask] = values
        return pad_charts(blank, self.mask)


def _mirrored_corners(model: MorphableModel) -> Float[Tensor, "F 3 3"] | None:
    """Texture coordinates of each corner's partner, and 1; zeros where a face has no partner."""
    if model.mirror is None or model.uv is None or model.uv_faces is None:
        return None
    faces, wanted = model.faces.long(), model.mirror.long()[model.faces.long()]
    place, order = _by_name(faces)
    sought, other_order = _by_name(wanted)
    both = torch.cat([place, sought])
    _, name = torch.unique(both, dim=0, return_inverse=True)
    face_of = torch.full((int(name.max()) + 1,), -1)
    face_of[name[: len(faces)]] = torch.arange(len(faces))
    partner = face_of[name[len(faces) :]]
    uv_sorted = model.uv_faces.long().gather(1, order)[partner]
    uv_faces = torch.empty_like(uv_sorted).scatter_(1, other_order, uv_sorted)
    known = (partner >= 0).to(model.uv)[:, None, None]
    flagged = torch.cat([model.uv[uv_faces], known.expand(-1, 3, 1)], dim=-1)
    return flagged * known


def _by_name(faces: Tensor) -> tuple[Tensor, Tensor]:
    """Corners in ascending order, and where they were."""
    ordered = faces.sort(dim=1)
    return ordered.values, ordered.indices
