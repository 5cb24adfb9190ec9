"""Where windows take their frames from: a prepared dataset, or arrays in memory."""

import io
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int64
from PIL import Image
from torch import Tensor

from morphface.core.errors import DatasetError, ParameterError, ShapeError
from morphface.media.shards import ShardFolder

__all__ = ["Frames", "MemoryFrames", "ShardFrames"]

_LOST = 2
"""State of frames in which the face is lost, as in `parameters.track`."""

Pair = tuple[Tensor, Tensor]
"""Maps and picture of one frame, channels first, 0 to 255 where they are bytes, else 0 to 1."""


@runtime_checkable
class Frames(Protocol):
    """Maps and pictures of numbered frames."""

    @property
    def runs(self) -> Int64[np.ndarray, "R 2"]:
        """First frame and number of frames of each run, beyond which no window may look."""

    def pair(self, number: int) -> Pair:
        """Maps and picture of one frame."""


class ShardFrames:
    """Frames of a prepared dataset. What was decoded is kept for the windows that follow.

    Args:
        shards: the dataset.
        maps: which maps, in order.
        memory: bytes of decoded frames that are kept, in each process.

    Raises:
        DatasetError: the dataset has no such map.
    """

    def __init__(self, shards: ShardFolder, maps: Sequence[str], memory: int) -> None:
        self._shards, self._maps, self._memory = shards, tuple(maps), memory
        windows = shards.manifest["windows"]
        missing = [name for name in maps if name not in windows["maps"]]
        if missing:
            raise DatasetError(
                f"{shards.path} has no map {missing[0]}, it has {', '.join(windows['maps'])}; "
                "prepare it with that map"
            )
        self._channels = {name: windows.get("channels", {}).get(name, 3) for name in maps}
        self._kept: OrderedDict[int, Pair] = OrderedDict()
        self._used = 0

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": OrderedDict(), "_used": 0}

    @property
    def runs(self) -> Int64[np.ndarray, "R 2"]:
        """First frame and number of frames of each run."""
        return self._shards.runs

    def pair(self, number: int) -> Pair:
        """Maps and picture of one frame.

        Raises:
            DatasetError: a shard cannot be read, or a picture in it is damaged.
        """
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        maps = torch.cat([self._decode(number, name) for name in self._maps])
        found = maps, self._decode(number, "frame")
        self._kept[number] = found
        self._used += _size(found)
        while self._used > self._memory and len(self._kept) > 1:
            self._used -= _size(self._kept.popitem(last=False)[1])
        return found

    def _decode(self, number: int, name: str) -> Tensor:
        data = self._shards.read(number, f"{name}.png")
        try:
            with Image.open(io.BytesIO(data)) as image:
                values = np.asarray(image)
        except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, EOFError
            raise DatasetError(
                f"{name}.png of sample {self._shards.key(number)} is damaged; `morphface inspect "
                "--verify` tells which shards are"
            ) from error
        values = values if values.ndim == 3 else values[..., None]
        found = torch.from_numpy(np.array(values.transpose(2, 0, 1), order="C"))
        found = found[: self._channels.get(name, 3)]
        return found if found.dtype == torch.uint8 else found.float() / 65535


class MemoryFrames:
    """Frames of arrays in memory.

    Args:
        arrays: each map and "frame" as T H W C, bytes or from 0 to 1. "states", of T, tells by 2
            in which frames the face is lost; "clips", of T, tells clips apart.
        maps: which maps, in order.

    Raises:
        ParameterError: an array is missing.
        ShapeError: arrays differ in frames or size.
    """

    def __init__(self, arrays: Mapping[str, Any], maps: Sequence[str]) -> None:
        names = (*maps, "frame")
        missing = [name for name in names if name not in arrays]
        if missing:
            raise ParameterError(
                f"the source lacks {', '.join(missing)}; it has {', '.join(arrays) or 'nothing'}"
            )
        self._maps = [torch.as_tensor(arrays[name]) for name in maps]
        self._frame = torch.as_tensor(arrays["frame"])
        for name, values in zip(names, [*self._maps, self._frame], strict=True):
            if values.ndim != 4 or values.shape[:3] != self._frame.shape[:3]:
                raise ShapeError(
                    f"{name} must be T x H x W x C, {tuple(self._frame.shape[:3])} as the frames, "
                    f"got {tuple(values.shape)}"
                )
        self.runs = _runs(len(self._frame), arrays.get("states"), arrays.get("clips"))

    def pair(self, number: int) -> Pair:
        """Maps and picture of one frame."""
        maps = [_channels_first(values[number]) for values in self._maps]
        return torch.cat(maps), _channels_first(self._frame[number])


def _channels_first(values: Tensor) -> Float[Tensor, "C H W"]:
    found = values.permute(2, 0, 1)
    return found.float() / 255 if found.dtype == torch.uint8 else found.float()


def _runs(count: int, states: Any, clips: Any) -> Int64[np.ndarray, "R 2"]:
    """Stretches of frames that are of one clip, and none of which is lost."""
    here = np.ones(count, bool) if states is None else np.asarray(states) != _LOST
    clip = np.zeros(count, np.int64) if clips is None else np.unique(clips, return_inverse=True)[1]
    if here.shape != (count,) or clip.shape != (count,):
        raise ShapeError(f"states and clips must have {count} entries, as the frames")
    rows: list[list[int]] = []
    for number in np.flatnonzero(here):
        follows = number and here[number - 1] and clip[number - 1] == clip[number]
        if rows and follows:
            rows[-1][1] += 1
        else:
            rows.append([int(number), 1])
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _size(pair: Pair) -> int:
    return sum(values.nbytes for values in pair)
