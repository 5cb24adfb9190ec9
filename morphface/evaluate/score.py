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
        values: one a frame, or a pair of frames; NaN where nothing could be measured, infinite
            where equal pictures have a PSNR.
    """

    measure: Measure
    values: Float[Tensor, " T"]

    @property
    def mean(self) -> float:
        """Over the frames that have a finite value; infinite if all measured are; else NaN."""
        finite = self.values[torch.isfinite(self.values)]
        if len(finite):
            return float(finite.double().mean())
        return float("inf") if self.infinite else float("nan")

    @property
    def missing(self) -> int:
        """How many frames could not be measured."""
        return int(torch.isnan(self.values).sum())

    @property
    def infinite(self) -> int:
        """How many frames have an infinite value, and are left out of the mean."""
        return int(torch.isinf(self.values).sum())

    @property
    def remark(self) -> str:
        """Which frames the mean leaves out; empty if none."""
        count, lost, equal = len(self.values), self.missing, self.infinite
        words = [f"{lost} of {count} missing"] if lost else []
        return ", ".join([*words, *([f"{equal} of {count} equal"] if equal else [])])

    def __str__(self) -> str:
        measure = self.measure
        remark = f", {self.remark}" if self.remark else ""
        return (
            f"{measure.name} {self.mean:.4g} {measure.unit} ({measure.better} is better; "
            f"{measure.convention}{remark})"
        )
