"""Where the points of a landmark scheme lie on a model's surface."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ModelError
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

    @classmethod
    def at_vertices(
        cls,
        vertices: Int[Tensor, " N"],
        faces: Int[Tensor, "F 3"],
        confidence: Float[Tensor, " N"] | None = None,
    ) -> "LandmarkEmbedding":
        """Points that lie on vertices of a mesh; confidence is 1 unless given.

        Raises:
            ModelError: one of the vertices belongs to no face.
        """
        face, corner = _corners(vertices, faces)
        barycentric = torch.nn.functional.one_hot(corner, 3).float()
        trusted = torch.ones(len(vertices)) if confidence is None else confidence
        return cls(faces[face], barycentric, trusted)

    def __len__(self) -> int:
        return len(self.triangles)

    def points(self, vertices: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch N 3"]:
        """Landmark positions on a mesh with `vertices`, in their precision."""
        check_shape("vertices", vertices, None, 3)
        shares = self.barycentric.to(vertices.dtype)
        return torch.einsum("nk,...nkc->...nc", shares, vertices[..., self.triangles, :])


def _corners(vertices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """A face of each vertex, and which of its corners the vertex is."""
    order = faces.flatten().argsort(stable=True)
    sorted_corners = faces.flatten()[order]
    at = torch.searchsorted(sorted_corners, vertices).clamp(max=max(len(order) - 1, 0))
    lost = vertices[sorted_corners[at] != vertices] if len(order) else vertices
    if len(lost):
        raise ModelError(f"landmark vertex {int(lost[0])} belongs to no face of the model")
    return order[at] // 3, order[at] % 3
