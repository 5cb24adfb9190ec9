"""Which windows a step sees: a function of seed and step, so that any step can be resumed."""

from collections.abc import Iterator

import torch

from morphface.core.errors import ParameterError

__all__ = ["BatchOrder"]


class BatchOrder:
    """Batches of indices, round after round, each round in a new order.

    Every process takes its part of the same global batch, so that the number of processes changes
    nothing but speed.

    Args:
        count: of windows; with fewer than a batch, a batch has some twice.
        batch: windows in a step over all processes.
        seed: of the orders.
        start: the first step.
        steps: where to stop.
        rank: of this process.
        world: how many processes there are.

    Raises:
        ParameterError: there is no window, or the batch cannot be shared evenly.
    """

    def __init__(
        self,
        count: int,
        batch: int,
        seed: int,
        *,
        start: int = 0,
        steps: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if count < 1:
            raise ParameterError("there is no window to train with")
        if batch % world:
            raise ParameterError(
                f"batch must be a multiple of the number of processes, got {batch} for {world}"
            )
        self._count, self._batch, self._seed = count, batch, seed
        self._steps = range(start, steps)
        self._part = slice(rank * (batch // world), (rank + 1) * (batch // world))

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[list[int]]:
        return (self.part(step) for step in self._steps)

    def part(self, step: int) -> list[int]:
        """The indices that this process sees in a step.

        Args:
            step: from 0.
        """
        return self.whole(step)[self._part]

    def whole(self, step: int) -> list[int]:
        """The indices that all processes together see in a step.

        Args:
            step: from 0.
        """
        places = range(step * self._batch, (step + 1) * self._batch)
        rounds = {place // self._count for place in places}
        orders = {each: self._order(each) for each in rounds}
        return [orders[place // self._count][place % self._count] for place in places]

    def _order(self, number: int) -> list[int]:
        rng = torch.Generator().manual_seed((self._seed << 24) + number)
        return torch.randperm(self._count, generator=rng).tolist()
