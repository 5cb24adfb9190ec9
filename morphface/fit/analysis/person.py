"""Who is in the photos, as far as landmarks tell: the identity that their linear fits agree on.

Each linear fit is a normal distribution over identities, with the precision that its landmarks,
its pose and its noise give it. The product of all, with the prior counted once, is the person. A
photo that contradicts the others counts less, after Geman and McClure; and all count less than so
many independent ones, as a detector has the same errors in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.result import FitResult

__all__ = ["Person", "person_of", "strangers"]

_ROUNDS = 5
_FEWEST = 3  # fits, of which one can be told to contradict the others
_STRANGE = 3.0  # times the median squared distance between the other fits and the rest: a stranger
_ALIKE = 0.1  # squared distance for each coefficient below which nobody is a stranger
_CONTRADICTS = 3.0  # times the median distance between a photo and the person: counts a quarter


@dataclass(frozen=True, eq=False)
class Person:
    """What is expected of an identity before its pixels are seen.

    Args:
        mean: where the landmarks have it.
        expected: centre of the prior that holds it.
        precision: inverse covariance around that.
    """

    mean: Float[np.ndarray, " I"]
    expected: Float[np.ndarray, " I"]
    precision: Float[np.ndarray, "I I"]


def person_of(starts: Sequence[FitResult], trust: float, shared: float = 0.0) -> Person:
    """The person of some linear fits.

    Args:
        starts: one for each photo.
        trust: by what the precision of their agreement is multiplied. Where it is 0, or a start
            does not know its precision, the prior is N(0, 1).
        shared: correlation of the errors of any two of them.
    """
    means, precisions = _stacked(starts)
    rank = means.shape[1]
    if len(precisions) < len(means):
        return Person(means.mean(axis=0), np.zeros(rank), np.eye(rank))
    mean, precision = _agreed(means, precisions, shared)
    if trust == 0:
        return Person(mean, np.zeros(rank), np.eye(rank))
    return Person(mean, mean, trust * precision)


def strangers(starts: Sequence[FitResult]) -> tuple[bool, ...]:
    """Which of some linear fits contradict the others, as that of another person would.

    A fit's distance is that of its identity from the person of all others, by the covariances of
    both. It is compared with those of the others, which show what views and the detector's errors
    make of one person: landmarks from views that differ much hide a stranger. Two fits may
    contradict each other, but not which of them is wrong: then, and where a fit does not know
    its precision, nobody is a stranger.

    Args:
        starts: one for each photo.
    """
    if len(starts) < _FEWEST or any(start.identity_precision is None for start in starts):
        return (False,) * len(starts)
    said = _stacked(starts)
    away = np.array([_distance(*said, number) for number in range(len(starts))])
    usual = [np.median(np.delete(away, number)) for number in range(len(away))]
    return tuple(bool(d > max(_ALIKE, _STRANGE * u)) for d, u in zip(away, usual, strict=True))


def _stacked(
    starts: Sequence[FitResult],
) -> tuple[Float[np.ndarray, "n I"], Float[np.ndarray, "m I I"]]:
    """The identity of each start, and the precision of each that knows it."""
    known = [start.identity_precision for start in starts]
    return (
        np.array([to_numpy(start.parameters.identity[0]) for start in starts]),
        np.array([to_numpy(precision) for precision in known if precision is not None]),
    )


def _distance(
    means: Float[np.ndarray, "n I"], precisions: Float[np.ndarray, "n I I"], number: int
) -> float:
    """Squared distance between a fit and the person of the others, for each coefficient."""
    kept = np.arange(len(means)) != number
    mean, precision = _agreed(means[kept], precisions[kept])
    off = means[number] - mean
    doubt = np.linalg.inv(precisions[number]) + np.linalg.inv(precision)
    return float(off @ np.linalg.solve(doubt, off)) / len(off)


def _agreed(
    means: Float[np.ndarray, "n I"], precisions: Float[np.ndarray, "n I I"], shared: float = 0.0
) -> tuple[Float[np.ndarray, " I"], Float[np.ndarray, "I I"]]:
    """Mean and precision of the product of normal distributions that share the prior N(0, 1).

    The mean of n numbers with unit variance and a correlation of r has that of n / (1 + (n - 1) r)
    independent ones.
    """
    one, share = np.eye(means.shape[1]), np.ones(len(means))
    for _ in range(_ROUNDS if len(means) > 2 else 1):
        worth = share / (1 + (share.sum() - 1) * shared)
        precision = one + np.einsum("n,nij->ij", worth, precisions - one)
        pull = np.einsum("n,nij,nj->i", worth, precisions, means)
        mean = np.linalg.solve(precision, pull)
        off = means - mean
        away = np.sqrt(np.einsum("ni,nij,nj->n", off, precisions, off))
        share = 1 / (1 + (away / (_CONTRADICTS * max(float(np.median(away)), 1e-9))) ** 2) ** 2
    return mean, precision
