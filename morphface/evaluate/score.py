"""A measured number never goes without its convention: the same acronym means several things."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record

__all__ = ["Measure", "Score"]


@dataclass(frozen=True)
class Measure:
    """What a number means.

    Args:
        name: as papers write it.
        unit: of the value.
        better: "lower" or "higher".
        convention: range, reduction and source, in a few words.
    """

    name: str
    unit: str
    better: str
    convention: str

    def of(self, values: Float[Tensor, " T"]) -> "Score":
        """The score that these values of frames make."""
        return Score(self, values)


@dataclass(frozen=True, eq=False)
class Score(Record):
    """A measure of a sequence.

    Args:
        measure: what the values mean.
        values: one a frame, or a pair of frames; not finite where nothing could be measured.
    """

    measure: Measure
    values: Float[Tensor, " T"]

    @property
    def mean(self) -> float:
        """Over the frames that could be measured; NaN if none could."""
        measured = self.values[torch.isfinite(self.values)]
        return float(measured.double().mean()) if len(measured) else float("nan")

    @property
    def missing(self) -> int:
        """How many frames could not be measured."""
        return int((~torch.isfinite(self.values)).sum())

    def __str__(self) -> str:
        measure = self.measure
        lost = f", {self.missing} of {len(self.values)} missing" if self.missing else ""
        return (
            f"{measure.name} {self.mean:.4g} {measure.unit} ({measure.better} is better; "
            f"{measure.convention}{lost})"
        )
