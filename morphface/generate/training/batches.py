"""What each step is given, by kind of generator: windows of one clip, or frames of takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from morphface.core.errors import ParameterError
from morphface.generate.take import Take, Takes, stacked_takes
from morphface.generate.training.order import BatchOrder
from morphface.generate.training.settings import TrainSettings
from morphface.generate.windows import to_signed

__all__ = ["Share", "check_shared", "frames_of_takes", "rounds_of", "windows_of_clips"]


@dataclass(frozen=True)
class Share:
    """Which part of a run a process makes.

    Args:
        start: the first step that is left.
        device: where it trains.
        rank: of this process.
        world: how many processes there are.
        workers: processes that read for it.
    """

    start: int
    device: torch.device
    rank: int = 0
    world: int = 1
    workers: int = 0

    def order(self, count: int, settings: TrainSettings, start: int) -> BatchOrder:
        """Which entries of `count` each step or round from `start` on sees."""
        return BatchOrder(
            count,
            settings.batch,
            settings.seed,
            start=start,
            steps=settings.steps,
            rank=self.rank,
            world=self.world,
        )

    def loader(self, data: Any, order: Any, collate: Callable[..., Any] | None = None) -> Any:
        """Reads what the order says."""
        return DataLoader(
            data,
            batch_sampler=order,
            num_workers=self.workers,
            collate_fn=collate,
            pin_memory=self.device.type == "cuda",
            persistent_workers=False,
        )


def check_shared(batch: int, world: int) -> None:
    """Refuse a batch that processes cannot share evenly.

    Args:
        batch: over all processes.
        world: how many there are.

    Raises:
        ParameterError: they cannot.
    """
    if batch % world:
        raise ParameterError(
            f"batch must be a multiple of the number of processes, got {batch} for {world}"
        )


def windows_of_clips(windows: Any, settings: TrainSettings, share: Share) -> Iterator[Any]:
    """Batches of windows, as values from -1 to 1 if they come as bytes.

    Args:
        windows: a torch dataset of dictionaries.
        settings: of the run.
        share: of this process.

    Raises:
        ParameterError: there is no window, or the batch cannot be shared.
    """
    for batch in share.loader(windows, share.order(len(windows), settings, share.start)):
        yield {
            name: _values(value.to(share.device, non_blocking=True))
            for name, value in batch.items()
        }


def frames_of_takes(takes: Takes, settings: TrainSettings, share: Share) -> Iterator[Take]:
    """Batches of frames: consecutive ones of the same takes for some steps, then of others.

    Args:
        takes: to train with.
        settings: of the run; the length says for how many steps.
        share: of this process.

    Raises:
        ParameterError: there is no take, or the batch cannot be shared.
    """
    for (length, first), found in rounds_of(takes, settings, share):
        for k in range(first, length):
            yield stacked_takes([take.frame_at(k) for take in found]).to(share.device)


def rounds_of(
    takes: Takes, settings: TrainSettings, share: Share
) -> Iterator[tuple[tuple[int, int], list[Take]]]:
    """Takes of each round of a run, with the frames that they have, and the first that is left.

    Args:
        takes: to train with.
        settings: of the run; the length says how many steps a round has.
        share: of this process.

    Raises:
        ParameterError: there is no take, or the batch cannot be shared.
    """
    rounds = _Rounds(takes, settings, share)
    loaded = share.loader(_Numbered(takes), rounds, list)
    for (_, length, first), found in zip(rounds.plan, loaded, strict=True):
        yield (length, first), found


class _Numbered(Dataset[Take]):
    """Takes by number and length."""

    def __init__(self, takes: Takes) -> None:
        self._takes = takes

    def __getitem__(self, index: tuple[int, int]) -> Take:
        return self._takes.take(*index)


class _Rounds:
    """Which takes each round of a run sees, and for how many steps."""

    def __init__(self, takes: Takes, settings: TrainSettings, share: Share) -> None:
        self.plan = list(_planned(settings, takes.longest, share.start))
        """Number of each round, its last step within it, and its first that is left."""
        count, batch = takes.count, settings.batch
        if count is not None:
            self._numbers: Callable[[int], Sequence[int]] = share.order(count, settings, 0).part
            return
        check_shared(batch, share.world)
        own = batch // share.world
        self._numbers = lambda number: range(
            number * batch + share.rank * own, number * batch + (share.rank + 1) * own
        )

    def __len__(self) -> int:
        return len(self.plan)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        for number, length, _ in self.plan:
            yield [(take, length) for take in self._numbers(number)]


def _planned(settings: TrainSettings, longest: int, start: int) -> Iterator[tuple[int, int, int]]:
    step = number = 0
    while step < settings.steps:
        length = min(settings.length_at(step), longest, settings.steps - step)
        if step + length > start:
            yield number, length, max(start - step, 0)
        step, number = step + length, number + 1


def _values(batch: Tensor) -> Tensor:
    """Windows that come as bytes, as values from -1 to 1."""
    return to_signed(batch) if batch.dtype == torch.uint8 else batch
