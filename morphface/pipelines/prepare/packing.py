"""Units of work packed into shards: in the order of the clips, whoever was done first.

A clip lies in one shard unless it is larger than a shard may be.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from morphface.core.errors import DatasetError
from morphface.core.tasks.task import Tell
from morphface.media.shards import (
    ShardIndex,
    ShardWriter,
    durable_write,
    file_sha256,
    load_index,
    save_index,
)
from morphface.media.shards.folder import shard_entry
from morphface.pipelines.prepare.settings import ShardSize

__all__ = ["Layout", "Piece", "Plan", "check_shard", "pack_shard"]


@dataclass(frozen=True)
class Piece:
    """Samples of one clip in one shard.

    Args:
        clip: number of the clip.
        unit: path of its unit, but for the suffix.
        stem: what the keys of its samples begin with.
        sha256: of the unit's small shard.
        first: of its samples.
        last: of its samples, not included.
    """

    clip: int
    unit: str
    stem: str
    sha256: str
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """One shard.

    Args:
        path: where it goes, but for the suffix.
        pieces: what is in it, in order.
        extensions: the parts of each sample.
    """

    path: str
    pieces: tuple[Piece, ...]
    extensions: tuple[str, ...]

    @property
    def samples(self) -> int:
        """How many it has."""
        return sum(piece.last - piece.first for piece in self.pieces)


@dataclass
class Layout:
    """Fills shards with pieces, in order.

    Args:
        limit: when a shard is full.
    """

    limit: ShardSize
    _open: list[Piece] = field(default_factory=list)
    _samples: int = 0
    _bytes: int = 0

    def add(self, piece: Piece, size: int) -> Iterator[tuple[Piece, ...]]:
        """Shards that are full now.

        Args:
            piece: the next one.
            size: its bytes.
        """
        samples = piece.last - piece.first
        if self._open and not self.limit.holds(self._samples + samples, self._bytes + size):
            yield from self.rest()
        self._open.append(piece)
        self._samples += samples
        self._bytes += size

    def rest(self) -> Iterator[tuple[Piece, ...]]:
        """The last shard, when no more pieces come."""
        if self._open:
            yield tuple(self._open)
        self._open, self._samples, self._bytes = [], 0, 0


def pack_shard(plan: Plan, tell: Tell) -> dict[str, Any]:
    """Write a shard and its index; the entry of the manifest for it.

    A shard that is there as it should be stays. If units are missing or damaged, nothing is
    written and the entry names their clips as "broken".

    Args:
        plan: what to write.
        tell: is not told anything, it is done too soon.

    Raises:
        OutputError: the shard cannot be written.
    """
    there = check_shard(plan)
    if there is not None:
        return there
    broken = [piece.clip for piece in plan.pieces if not _is_whole(piece)]
    if broken:
        return {"broken": broken}
    path = Path(plan.path)
    with durable_write(path.with_suffix(".tar")) as file:
        writer = ShardWriter(file, plan.extensions)
        for piece in plan.pieces:
            unit = Path(piece.unit)
            with unit.with_suffix(".tar").open("rb") as source:
                index = load_index(unit.with_suffix(".json"))
                writer.copy(source, index, piece.first, piece.last)
        index = writer.finish()
    save_index(path.with_suffix(".json"), index)
    return shard_entry(path, index)


def check_shard(plan: Plan) -> dict[str, Any] | None:
    """The entry of a shard that was written before; None if it is not whole, or another.

    Args:
        plan: what should be in it.
    """
    path = Path(plan.path)
    try:
        index = load_index(path.with_suffix(".json"))
        same = _contents(plan) == _groups(index) and index.extensions == plan.extensions
        if not same or file_sha256(path.with_suffix(".tar")) != index.sha256:
            return None
        return shard_entry(path, index)
    except (DatasetError, OSError):
        return None


def _is_whole(piece: Piece) -> bool:
    unit = Path(piece.unit)
    try:
        return (
            load_index(unit.with_suffix(".json")).sha256
            == piece.sha256
            == file_sha256(unit.with_suffix(".tar"))
        )
    except (DatasetError, OSError):
        return False


def _contents(plan: Plan) -> list[tuple[str, int]]:
    """Clips and their numbers of samples, as the plan has them."""
    return [(piece.stem, piece.last - piece.first) for piece in plan.pieces]


def _groups(index: ShardIndex) -> list[tuple[str, int]]:
    """Clips and their numbers of samples, as an index has them."""
    stems = (key.partition("_")[0].partition("p")[0] for key in index.keys)
    return [(stem, len(list(group))) for stem, group in groupby(stems)]
