"""Linear bases over per-vertex values.

Coefficients of a statistical basis are in standard deviations, with the prior N(0, 1). A
basis of named expressions has weights in stated bounds instead, usually [0, 1].
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ShapeError
from morphface.core.records import Record

__all__ = ["ExpressionBasis", "LinearBasis"]


def _combine(
    coefficients: Float[Tensor, "*batch k"], directions: Float[Tensor, "K V 3"]
) -> Float[Tensor, "*batch V 3"]:
    k, rank = coefficients.shape[-1], len(directions)
    if k > rank:
        raise ShapeError(f"coefficients has {k} entries, but the basis has rank {rank}")
    coefficients = coefficients.to(directions.dtype)
    return (coefficients @ directions[:k].flatten(1)).unflatten(-1, directions.shape[1:])


@dataclass(frozen=True, eq=False)
class LinearBasis(Record):
    """A mean and directions: `mean + coefficients @ directions`.

    Args:
        mean: value at zero coefficients.
        directions: what one unit of each coefficient adds, in the unit of `mean`. For a
            statistical basis that is one standard deviation, largest variance first.
    """

    mean: Float[Tensor, "V 3"]
    directions: Float[Tensor, "K V 3"]

    def __post_init__(self) -> None:
        check_shape("directions", self.directions, None, *self.mean.shape)

    @property
    def rank(self) -> int:
        """How many coefficients the basis understands."""
        return len(self.directions)

    def offset(self, coefficients: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch V 3"]:
        """What `coefficients` add to the mean. Missing trailing coefficients count as zero.

        Raises:
            ShapeError: more coefficients than the basis has directions.
        """
        return _combine(coefficients, self.directions)

    def instance(self, coefficients: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch V 3"]:
        """Values at `coefficients`."""
        return self.mean + self.offset(coefficients)

    def project(self, values: Float[Tensor, "*batch V 3"]) -> Float[Tensor, "*batch K"]:
        """Least-squares coefficients of `values`. Inverts `instance` on its range."""
        check_shape("values", values, *self.mean.shape)
        flat = self.directions.flatten(1).double()
        right = (values - self.mean).flatten(-2).double() @ flat.T
        solved = torch.linalg.lstsq(flat @ flat.T, right.mT if right.ndim > 1 else right[:, None])
        out = solved.solution.mT if right.ndim > 1 else solved.solution[:, 0]
        return out.to(values.dtype)


@dataclass(frozen=True, eq=False)
class ExpressionBasis(Record):
    """Named offsets that are added to a neutral face.

    Args:
        directions: what each expression adds at weight 1, in millimetres.
        names: one name a direction; the 52 ARKit names for the open head.
        bounds: lowest and highest weight of each direction; infinite where the coefficients
            are standard deviations.
    """

    directions: Float[Tensor, "K V 3"]
    names: tuple[str, ...]
    bounds: Float[Tensor, "K 2"]

    def __post_init__(self) -> None:
        check_shape("directions", self.directions, None, None, 3)
        check_shape("bounds", self.bounds, self.rank, 2)
        if len(self.names) != self.rank:
            raise ShapeError(f"names must have {self.rank} entries, got {len(self.names)}")

    @property
    def rank(self) -> int:
        """How many coefficients the basis understands."""
        return len(self.directions)

    def offset(self, coefficients: Float[Tensor, "*batch k"]) -> Float[Tensor, "*batch V 3"]:
        """What `coefficients` add to a neutral face. Missing trailing ones count as zero.

        Raises:
            ShapeError: more coefficients than the basis has directions.
        """
        return _combine(coefficients, self.directions)
