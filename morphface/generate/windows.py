"""Windows in space and time: the maps of several frames at once, and the frame that they make.

A window holds the maps at `offsets` from its target, frame-major: all maps of the oldest frame
first, those of the newest last. With Deep Video Portraits' three maps and the offsets -10 to 0
these are 99 channels, the last nine of which belong to the frame to make (section 4).

A window never leaves its run: frames before the first of a clip, or before the first after the
face was lost, and those after the last, are what `padding` says. Lost frames are no targets.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from morphface.core.errors import DatasetError, ParameterError
from morphface.generate.frames import Frames, MemoryFrames, ShardFrames
from morphface.media.shards import ShardFolder, open_shards

__all__ = ["PADDINGS", "ConditioningWindows", "WindowOrder", "to_signed"]

PADDINGS = ("replicate", "zero")
"""What stands for frames beyond the ends: the nearest frame again, or empty maps (0, signed -1)."""

MEMORY = 1 << 30
"""Bytes of decoded frames that are kept: 20 minutes of 256 pixels need about twenty times that."""

_DVP_MAPS = ("diffuse", "correspondence", "gaze")
_DVP_OFFSETS = range(-10, 1)


class ConditioningWindows(Dataset[dict[str, Tensor]]):
    """A torch dataset of windows, one for each frame in which the face is seen.

    An entry holds "window" (C H W), "frame" (3 H W) and "number", of the frame in its source.
    Neighbouring windows share frames, which are decoded once; `WindowOrder` shuffles so that this
    stays true. Workers of a `DataLoader` each keep their own.

    Args:
        source: the folder of a dataset, or arrays in memory as in `MemoryFrames`.
        offsets: frames of the window relative to its target, rising; None takes those of the
            dataset's manifest, or -10 to 0.
        maps: which maps, in order; None takes those of the manifest, or the three of Deep Video
            Portraits.
        padding: one of `PADDINGS`.
        signed: values from -1 to 1, as networks want them; from 0 to 1 otherwise.
        raw: bytes instead, a quarter as many, so that workers feed a GPU several times as fast;
            `to_signed` makes values of them there.
        memory: bytes of decoded frames that are kept, in each process.

    Raises:
        MissingFileError: there is no such folder.
        DatasetError: it is no dataset, has no such map, or no frame.
        ParameterError: an argument makes no sense.
        ShapeError: arrays do not fit together.
    """

    def __init__(
        self,
        source: str | Path | ShardFolder | Mapping[str, Any],
        *,
        offsets: Sequence[int] | None = None,
        maps: Sequence[str] | None = None,
        padding: str = "replicate",
        signed: bool = True,
        raw: bool = False,
        memory: int = MEMORY,
    ) -> None:
        if padding not in PADDINGS:
            raise ParameterError(f"padding must be one of {', '.join(PADDINGS)}, got {padding!r}")
        self._frames, wanted = _frames_of(source, maps, memory)
        self.offsets = _checked(wanted if offsets is None else offsets)
        self.padding, self.signed, self.raw = padding, signed, raw
        self.runs = self._frames.runs
        """First frame and number of frames of each run, in the source."""
        self._ends = np.cumsum(self.runs[:, 1])
        if not len(self):
            raise DatasetError("there is no frame in which a face is seen")
        if raw and self._frames.pair(int(self.runs[0, 0]))[0].dtype != torch.uint8:
            raise ParameterError("raw windows need maps of 8 bits in a dataset; leave raw out")

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """The window of one target, counted through all runs.

        Raises:
            IndexError: there is no such target.
            DatasetError: a shard cannot be read.
        """
        target, run = self._target(index)
        wanted = target + np.array(self.offsets)
        maps, frame = self._frames.pair(target)
        inside = np.clip(wanted, run[0], run[0] + run[1] - 1)
        window = self._empty(len(wanted) * len(maps), maps)
        for place, number in enumerate(inside):
            part = window[place * len(maps) : (place + 1) * len(maps)]
            blank = self.padding == "zero" and number != wanted[place]
            source = torch.zeros_like(maps) if blank else self._frames.pair(int(number))[0]
            self._write(part, source)
        picture = self._empty(3, frame)
        self._write(picture, frame)
        return {"window": window, "frame": picture, "number": torch.tensor(target)}

    def _target(self, index: int) -> tuple[int, Int64[np.ndarray, "2"]]:
        """The frame that an index stands for, and its run."""
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"there are {len(self)} windows, got {index}")
        run = int(np.searchsorted(self._ends, place, side="right"))
        first, count = self.runs[run]
        return int(first + place - (self._ends[run] - count)), self.runs[run]

    def _write(self, place: Tensor, values: Tensor) -> None:
        """Values as they are wanted, a channel at a time: it is scaled while it is in the cache."""
        if self.raw:
            place.copy_(values)
            return
        top = 255 if values.dtype == torch.uint8 else 1
        for channel, source in zip(place, values, strict=True):
            _scale(channel.copy_(source), top, self.signed)

    def _empty(self, channels: int, like: Tensor) -> Tensor:
        dtype = torch.uint8 if self.raw else torch.float32
        return torch.empty((channels, *like.shape[1:]), dtype=dtype)


class WindowOrder(Sampler[list[int]]):
    """Batches for a `DataLoader`, shuffled so that each frame is decoded about once.

    The windows are cut into stretches of consecutive ones, whose order is random. A batch takes
    one window from each of as many stretches as it has places, and the batches of each worker go
    on through the same stretches: its next batch needs only one new frame for each place.

    Args:
        windows: to order.
        batch: how many windows a batch has.
        workers: `num_workers` of the `DataLoader`.
        stretch: how many consecutive windows at most.
        seed: of the order; change it for each epoch, or call `set_epoch`.

    Raises:
        ParameterError: a number is below what it must be.
    """

    def __init__(
        self,
        windows: ConditioningWindows,
        batch: int,
        *,
        workers: int = 0,
        stretch: int = 64,
        seed: int = 0,
    ) -> None:
        for name, value, least in (("batch", batch, 1), ("workers", workers, 0)):
            if value < least:
                raise ParameterError(f"{name} must be at least {least}, got {value}")
        if stretch < 1:
            raise ParameterError(f"stretch must be at least 1, got {stretch}")
        self._runs = windows.runs
        self._batch, self._teams, self._stretch = batch, max(1, workers), stretch
        self._seed, self._epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch.

        Args:
            epoch: any number; the same one gives the same order.
        """
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-int(self._runs[:, 1].sum()) // self._batch)

    def __iter__(self) -> Iterator[list[int]]:
        """Batches of indices: each window once, the last batch may be short."""
        teams = [self._walk(share) for share in self._shares()]
        rest: list[int] = []
        while teams:
            for team in list(teams):
                batch = next(team, None)
                if batch is None:
                    teams.remove(team)
                elif len(batch) == self._batch:
                    yield batch
                else:
                    rest += batch
        for start in range(0, len(rest), self._batch):
            yield rest[start : start + self._batch]

    def _shares(self) -> list[list[range]]:
        """Stretches of windows for each worker, in random order."""
        stretches, first = [], 0
        for count in self._runs[:, 1].tolist():
            ends = range(first, first + count, self._stretch)
            stretches += [range(a, min(a + self._stretch, first + count)) for a in ends]
            first += count
        rng = np.random.default_rng((self._seed, self._epoch))
        mixed = [stretches[k] for k in rng.permutation(len(stretches))]
        return [mixed[team :: self._teams] for team in range(self._teams)]

    def _walk(self, stretches: list[range]) -> Iterator[list[int]]:
        """Batches of one worker: each place of a batch goes through its own stretches."""
        places = [chain.from_iterable(stretches[k :: self._batch]) for k in range(self._batch)]
        for batch in zip_longest(*places):
            yield [window for window in batch if window is not None]


def to_signed(values: Tensor) -> Tensor:
    """Bytes as float32 from -1 to 1, on the device that they are on.

    Args:
        values: of raw windows or frames.
    """
    return values.to(torch.float32).mul_(2 / 255).sub_(1)


def _frames_of(
    source: str | Path | ShardFolder | Mapping[str, Any], maps: Sequence[str] | None, memory: int
) -> tuple[Frames, Sequence[int]]:
    """The frames of a source, and the offsets that it was made for."""
    if isinstance(source, Mapping):
        return MemoryFrames(source, maps or _DVP_MAPS), _DVP_OFFSETS
    shards = source if isinstance(source, ShardFolder) else open_shards(source)
    windows = shards.manifest["windows"]
    return ShardFrames(shards, maps or windows["maps"], memory), windows["offsets"]


def _checked(offsets: Sequence[int]) -> tuple[int, ...]:
    found = tuple(int(offset) for offset in offsets)
    if 0 not in found or sorted(set(found)) != list(found):
        raise ParameterError(f"offsets must rise and have 0 among them, got {found}")
    return found


def _scale(values: Tensor, top: int, signed: bool) -> None:
    """From 0 to `top`, to -1 to 1 or 0 to 1; in place."""
    if signed:
        values.mul_(2 / top).sub_(1)
    elif top != 1:
        values.div_(top)
