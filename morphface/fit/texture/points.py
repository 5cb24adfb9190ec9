"""Points of a surface that get a colour: the texels of its texture, or else its vertices.

All of them are blends of three vertices, so that values go from vertices to points and, averaged,
back; and each knows the point on the other side of the face.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.records import Record
from morphface.models import MorphableModel
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments
from morphface.render.unwrap import pad_charts, rasterize_uv

__all__ = ["SurfacePoints", "mirrored_corners"]

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
        partner = mirrored_corners(model)
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
        some = torch.nonzero(trust)[:, 0]
        rows = torch.cat([values[some] * trust[some, None], trust[some, None]], dim=1)
        sums = self._gathered(rows, some)
        mean = sums[:, :-1] / sums[:, -1:].clamp(min=_LEAST)
        return mean, sums[:, -1] / self.mass.clamp(min=_LEAST)

    def _gathered(
        self, rows: Float[Tensor, "n C"], some: Int[Tensor, " n"]
    ) -> Float[Tensor, "V C"]:
        """Sums over points, as far as they belong to each vertex."""
        sums = rows.new_zeros(self.size, rows.shape[1])
        corners, weights = self.corners[some], self.weights[some]
        for corner in range(3):
            sums.index_add_(0, corners[:, corner], rows * weights[:, corner, None])
        return sums

    @cached_property
    def mass(self) -> Float[Tensor, " V"]:
        """How many points there are around each vertex."""
        sums = self.weights.new_zeros(self.size)
        return sums.index_add_(0, self.corners.flatten(), self.weights.flatten())

    def mirrored(self, values: Float[Tensor, "N C"]) -> Float[Tensor, "N C"]:
        """Values of the points on the other side; 0 where there is none."""
        return values[self.mirror] * (self.mirror >= 0)[:, None]

    def image(self, values: Float[Tensor, "N C"]) -> Float[Tensor, "S S C"] | None:
        """Values as a texture whose empty texels are like their neighbours; None for vertices."""
        return None if self.mask is None else self.filled(values)

    def filled(self, values: Float[Tensor, "N C"]) -> Float[Tensor, "S S C"]:
        """The same, of a texture.

        Raises:
            ParameterError: the points are vertices.
        """
        return values[self._nearest]

    @cached_property
    def _nearest(self) -> Int[Tensor, "S S"]:
        """The point of each texel of a texture, or the one that is nearest to it."""
        if self.mask is None:
            raise ParameterError("vertices make no picture")
        numbers = torch.zeros(*self.mask.shape, 1, dtype=torch.long)
        numbers[self.mask] = torch.arange(len(self.corners))[:, None]
        return pad_charts(numbers, self.mask)[..., 0]


def mirrored_corners(model: MorphableModel) -> Float[Tensor, "F 3 3"] | None:
    """Texture coordinates of each corner's partner, and 1; zeros where a face has no partner.

    Args:
        model: whose layout it is; None where it has none, or knows no mirror.
    """
    if model.mirror is None or model.uv is None or model.uv_faces is None:
        return None
    faces = model.faces.long()
    (name, order), (sought, other_order) = (
        _by_name(corners, model.size) for corners in (faces, model.mirror.long()[faces])
    )
    known, first = name.sort()
    place = torch.searchsorted(known, sought).clamp(max=len(known) - 1)
    partner = first[place]
    uv_sorted = model.uv_faces.long().gather(1, order)[partner]
    uv_faces = torch.empty_like(uv_sorted).scatter_(1, other_order, uv_sorted)
    found = (known[place] == sought).to(model.uv)[:, None, None].expand(-1, 3, 1)
    return torch.cat([model.uv[uv_faces], found], dim=-1) * found


def _by_name(corners: Int[Tensor, "F 3"], size: int) -> tuple[Tensor, Tensor]:
    """A number for each set of corners, and where these were before they were sorted."""
    ordered = corners.sort(dim=1)
    a, b, c = ordered.values.unbind(1)
    return (a * size + b) * size + c, ordered.indices
