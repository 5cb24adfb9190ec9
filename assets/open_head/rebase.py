"""From the artists' head to that of people: other mean, other spreads, other axes.

What `population.npz` says of real people is mixed with a share of the artists' own spread, so that
those whom few scans show stay inside: children, the old, and all ancestries of the artists. Mean
and axes move, so that coefficients keep the prior N(0, 1).
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from identity import oriented

POPULATION = Path(__file__).parent / "population.npz"
PEOPLE = 0.75  # share of the covariance that is people's; the rest is the artists'
_ALIKE = 1e-3  # relative difference of the artists' components that another machine makes

Array = np.ndarray


@dataclass(frozen=True)
class Population:
    """Statistics of people, in the coefficients of the artists' head.

    Attributes:
        mean: I.
        covariance: I x I.
        offset: what the mean of people has beyond all coefficients, V x 3, in millimetres.
        lengths: of the artists' components, to know them by.
    """

    mean: Array
    covariance: Array
    offset: Array
    lengths: Array

    @classmethod
    def read(cls, path: Path = POPULATION) -> "Population":
        """What `population.py` has written."""
        with np.load(path) as data:
            return cls(*(data[f].astype(np.float64) for f in cls.__dataclass_fields__))


@dataclass(frozen=True)
class Axes:
    """The new mean and components, and how coefficients of the artists' head become theirs.

    Attributes:
        mean: V x 3.
        directions: I x V x 3.
        matrix: `(x - centre) @ matrix.T` are the new coefficients.
        centre: the artists' coefficients of the new mean.
        shift: by which the origin moved, 3, in millimetres.
    """

    mean: Array
    directions: Array
    matrix: Array
    centre: Array
    shift: Array = field(default_factory=lambda: np.zeros(3))

    def tensors(self) -> dict[str, Array]:
        """What turns the artists' coefficients and positions into ours."""
        kept = {"matrix": self.matrix, "centre": self.centre, "shift": self.shift}
        return {name: np.ascontiguousarray(value, np.float32) for name, value in kept.items()}


def rebased(
    mean: Array, directions: Array, population: Population, metric: Array, mirror: Array
) -> Axes:
    """The head of people.

    Args:
        mean: of the artists' head, V x 3.
        directions: its components, I x V x 3.
        population: what is known of people.
        metric: how much each vertex counts where components are made orthogonal.
        mirror: the vertex on the other side.
    """
    lengths = np.linalg.norm(directions.reshape(len(directions), -1), axis=1)
    if np.abs(lengths / population.lengths - 1).max() > _ALIKE:
        raise SystemExit("population.npz is of other components: run population.py again")
    spread = PEOPLE * population.covariance + (1 - PEOPLE) * np.eye(len(directions))
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(values)) @ vectors.T
    flat = (directions * np.sqrt(metric / metric.sum())[:, None]).reshape(len(directions), -1)
    _, turn = np.linalg.eigh(root @ (flat @ flat.T) @ root)
    blend = root @ turn[:, ::-1]
    moved = oriented(np.tensordot(blend.T, directions, 1))
    signs = np.sign((moved * np.tensordot(blend.T, directions, 1)).sum((1, 2)))
    here = mean + np.tensordot(population.mean, directions, 1) + population.offset
    return Axes(
        mean=(here + here[mirror] * [-1, 1, 1]) / 2,
        directions=moved,
        matrix=np.linalg.inv(blend * signs),
        centre=population.mean,
    )
