"""Thresholds of the assembly. Lengths are in pixels of the picture that the network saw."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from morphface.core.errors import ParameterError

__all__ = ["AssemblySettings", "Pairing"]

Pairing = Literal["greedy", "hungarian"]


@dataclass(frozen=True)
class AssemblySettings:
    """How parts are put together to faces.

    The defaults are those of OpenPose where it has them; those that were measured on crowds that
    the network was not trained on (`benchmarks/bench_parts.py`) say so.

    Args:
        peak: value of a map from which a maximum is a part.
        window: cells of the enlarged map, an odd number, in which a maximum is the highest, and
            over which its place is averaged.
        enlarge: how many times maps are enlarged before maxima are looked for.
        most: parts of a kind at most, those with the highest values.
        along: value of a field along a limb from which a sample counts for it.
        passing: share of samples that must count; 0.75 finds more and is wrong more often.
        samples: least and most samples along a limb.
        near: pairs closer than this share of the picture's size, the root of its area, have no
            direction to speak of: they are taken if nothing better is.
        longest: share of the picture's height from which on limbs lose of their score.
        pairing: who belongs to whom: "greedy" takes the best pair first, "hungarian" the best
            pairs together.
        support: how much surer a limb is for each third part that both its ends are linked to; 0
            takes limbs by their scores alone, as published. It tells what a part that lies on
            another face's limb belongs to.
        fewest: parts that a face has at least.
        mean: mean score of its parts and limbs that a face has at least.

    Raises:
        ParameterError: a value makes no sense.
    """

    peak: float = 0.05
    window: int = 7
    enlarge: int = 4
    most: int = 127
    along: float = 0.05
    passing: float = 0.95
    samples: tuple[int, int] = (5, 25)
    near: float = 1 / 150
    longest: float = 0.5
    pairing: Pairing = "greedy"
    support: float = 0.25
    fewest: int = 3
    mean: float = 0.4

    def __post_init__(self) -> None:
        for name in ("peak", "along", "passing", "near", "support", "mean"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name} must be from 0 to 1, got {getattr(self, name)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type is int and value < 1:
                raise ParameterError(f"{field.name} must be 1 or more, got {value}")
        if self.window % 2 == 0:
            raise ParameterError(f"window must be an odd number of cells, got {self.window}")
        if not 2 <= self.samples[0] <= self.samples[1]:
            raise ParameterError(f"samples must rise from 2 or more, got {self.samples}")
        if not self.longest > 0:
            raise ParameterError(f"longest must be above 0, got {self.longest}")
        if self.pairing not in get_args(Pairing):
            raise ParameterError(
                f"pairing must be one of {', '.join(get_args(Pairing))}, got {self.pairing!r}"
            )
