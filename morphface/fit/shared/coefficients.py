"""What is expected of a model's coefficients before anything is seen."""

import math

import numpy as np
from jaxtyping import Float

from morphface.fit.shared.arrays import to_numpy
from morphface.models import ExpressionBasis

__all__ = ["coefficient_priors", "ellipsoid"]


def ellipsoid(rank: int, radius: float) -> float:
    """The largest length that so many normal coefficients together may have.

    Args:
        rank: how many.
        radius: standard deviations of their squared length that are allowed beyond its mean.
    """
    return math.sqrt(rank + radius * math.sqrt(2.0 * rank))


def coefficient_priors(
    expression: ExpressionBasis,
    scores: dict[str, float],
    *,
    expression_spread: float,
    score_spread: float,
) -> tuple[Float[np.ndarray, " E"], Float[np.ndarray, " E"]]:
    """Expected value and standard deviation of each expression coefficient.

    Args:
        expression: for names and bounds.
        scores: the detector's own estimates, by name.
        expression_spread: of a bounded weight without a score, as a share of its range.
        score_spread: the same around the score of one that has it.
    """
    bounds = to_numpy(expression.bounds)
    bounded = np.isfinite(bounds).all(axis=1)
    prior, spread = np.zeros(len(bounds)), np.ones(len(bounds))
    extent = np.maximum(np.where(bounded, bounds[:, 1] - bounds[:, 0], 1.0), 1e-6)
    spread[bounded] = expression_spread * extent[bounded]
    for index, name in enumerate(expression.names):
        if bounded[index] and name in scores:
            prior[index] = bounds[index, 0] + scores[name] * extent[index]
            spread[index] = score_spread * extent[index]
    return prior, spread
