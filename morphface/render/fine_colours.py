"""Colours that are finer than the mesh that carries them."""

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record
from morphface.models.fine import FineMesh
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments

__all__ = ["FineColours"]


@dataclass(frozen=True, eq=False)
class FineColours(Record):
    """Colours at the vertices of a model's fine mesh; the model's own come first.

    Args:
        mesh: of the model.
        values: for each of its vertices.

    Raises:
        ShapeError: there is another number of values.
    """

    mesh: FineMesh
    values: Float[Tensor, "W C"]

    def __post_init__(self) -> None:
        check_shape("values", self.values, self.mesh.size, None)

    def at(self, found: Fragments) -> Float[Tensor, "B H W C"]:
        """The colours at the pixels of a model's mesh; zero on background.

        Args:
            found: which of the model's faces each pixel sees.
        """
        face, weights = self.mesh.locate(found.face, found.barycentric)
        return interpolate(
            self.values[None], self.mesh.faces, replace(found, face=face, barycentric=weights)
        )

    def times(self, factor: Float[Tensor, "V C"]) -> "FineColours":
        """The colours multiplied by what the model's vertices have.

        Args:
            factor: light, for example.

        Raises:
            ShapeError: there is another number of factors.
        """
        return replace(self, values=self.values * self.mesh.spread(factor))
