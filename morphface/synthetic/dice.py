"""Seeded chance: everything that is random about a person is drawn from one of these."""

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor

__all__ = ["Dice"]

_T = TypeVar("_T")


class Dice:
    """A stream of random values that only its seeds decide.

    Args:
        seeds: whole numbers; other numbers, or another order, are another stream.
    """

    def __init__(self, *seeds: int) -> None:
        state = 0
        for seed in seeds:
            state = (state * 0x9E3779B97F4A7C15 + seed + 1) % (1 << 63)
        self.generator = torch.Generator().manual_seed(state)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Evenly between two limits."""
        return low + (high - low) * torch.rand(shape, generator=self.generator)

    def normal(self, *shape: int) -> Tensor:
        """With mean 0 and standard deviation 1."""
        return torch.randn(shape, generator=self.generator)

    def number(self, low: float, high: float) -> float:
        """One number evenly between two limits."""
        return float(self.uniform(low, high))

    def chance(self, share: float) -> bool:
        """Whether something happens that does so in this share of cases."""
        return bool(torch.rand((), generator=self.generator) < share)

    def whole(self, count: int, *shape: int) -> Tensor:
        """Whole numbers from 0 to less than `count`."""
        return torch.randint(count, shape, generator=self.generator)

    def pick(self, things: Sequence[_T]) -> _T:
        """One of some things, all as likely."""
        return things[int(self.whole(len(things)))]
