"""Where the points of a landmark scheme lie on a model's surface."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record

__all__ = ["LandmarkEmbedding"]


@dataclass(frozen=True, eq=False)
class LandmarkEmbedding(Record):
    """Barycentric positions of N landmarks.

    Args:
        triangles: the three vertices around each landmark.
        barycentric: their weights, which sum to 1.
        confidence: how far each point may be trusted in a fit, 0 (not at all) to 1. Points of
            the silhouette, which slide over the surface as the head turns, have less.
    """

    triangles: Int[Tensor, "N 3"]
    barycentric: Float[Tensor, "N 3"]
    confidence: Float[Tensor, " N"]

    def __post_init__(self) -> None:
        check_shape("triangles", self.triangles, None, 3)
        check_shape("barycentric", self.barycentric, len(self.triangles), 3)
        check_shape("confidence", self.confidence, len(self.triangles))

    def __len__(self) -> int:
        return len(self.triangles)

    def points(self, vertices: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch N 3"]:
        """Landmark positions on a mesh with `vertices`."""
        check_shape("vertices", vertices, None, 3)
        return torch.einsum("nk,...nkc->...nc", self.barycentric, vertices[..., self.triangles, :])
