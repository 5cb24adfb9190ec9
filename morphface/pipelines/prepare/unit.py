"""A unit of work: one clip becomes a small shard and a record of how that went.

Both are written under temporary names; the record comes last, so that a unit with a record is
done. Doing a unit again gives the same files.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from morphface.core.errors import (
    ImageError,
    MorphfaceError,
    NoFaceError,
    ParameterError,
    VideoError,
)
from morphface.core.tasks.task import Tell
from morphface.media.shards import ShardIndex, ShardWriter, durable_write, save_index
from morphface.pipelines.prepare.settings import PrepareSettings, ShardSize
from morphface.pipelines.prepare.sources import Clip

__all__ = ["ClipWork", "Job", "Outcome", "Sample", "Sequence", "do_unit", "load_outcome"]

PREPARED, SKIPPED, DUPLICATE, DIED = "prepared", "skipped", "duplicate", "died"

_BAD_CLIP = (ImageError, NoFaceError, ParameterError, VideoError)
"""What is wrong with a clip, and not with the machine, the settings or the disk."""

_TELL_EVERY = 8
_MOST_TRIES = 3
"""Runs that begin a clip whose process died in all of them."""


@dataclass(frozen=True)
class Sample:
    """One frame of one person.

    Args:
        frame: its number in the file.
        parts: the content of each part but "json", by extension.
        facts: what "json" says besides provenance.
    """

    frame: int
    parts: dict[str, bytes]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Sequence:
    """One person through a clip.

    Args:
        samples: frame by frame, made as they are asked for.
        facts: for the record: frames by state, crop, camera, statistics.
    """

    samples: Iterator[Sample]
    facts: dict[str, Any]


ClipWork = Callable[[Clip, PrepareSettings, Callable[[str], None]], Iterator[Sequence]]
"""Makes the sequences of a clip, and tells in a sentence what is odd about it."""


@dataclass(frozen=True)
class Job:
    """What a worker is sent.

    Args:
        folder: of the units.
        clip: to prepare.
        settings: how.
        work: that is done.
        stamp: what tells units of these settings from others; a short word.
    """

    folder: str
    clip: Clip
    settings: PrepareSettings
    work: ClipWork
    stamp: str

    @property
    def path(self) -> Path:
        """Where the unit's files are, but for the suffix."""
        name = self.clip.name
        return Path(self.folder, name[:2], f"{name}-{self.stamp}")


@dataclass(frozen=True)
class Outcome:
    """How a unit went.

    Args:
        outcome: "prepared", "skipped", "duplicate" or "died".
        reason: why a clip was skipped, in a sentence.
        warnings: what is odd about a clip that was prepared.
        samples: how many there are.
        bytes: how large they are together.
        unit_sha256: of the small shard.
        pieces: samples and bytes of each part that no shard may divide.
        sequences: the people in it, each with its runs of consecutive frames.
        tries: how many runs began it and saw its process die.
        rule: of a corpus that a skipped clip breaks, a word.
    """

    outcome: str
    reason: str = ""
    warnings: list[str] = field(default_factory=list)
    samples: int = 0
    bytes: int = 0
    unit_sha256: str = ""
    pieces: list[list[int]] = field(default_factory=list)
    sequences: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0
    rule: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing is to be gained by trying again."""
        return self.outcome != DIED or self.tries >= _MOST_TRIES

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def do_unit(job: Job, tell: Tell) -> Outcome:
    """Prepare a clip. What is wrong with the clip is recorded, all else is raised.

    Args:
        job: what to do.
        tell: is told how many frames are done.

    Raises:
        MorphfaceError: nothing can be written, or the settings do not work.
    """
    try:
        outcome = _write(job, tell)
    except _BAD_CLIP as error:
        rule = getattr(error, "rule", "")
        outcome = Outcome(SKIPPED, _sentence(error, job.clip), rule=rule)
    except MorphfaceError:
        raise
    except Exception as error:  # no clip may end the run; this one's mistake is written down
        outcome = Outcome(SKIPPED, f"unexpected {type(error).__name__}: {error}")
    outcome = Outcome(**json.loads(json.dumps(outcome.record())))  # as it will be read again
    save_outcome(job, outcome)
    return outcome


def save_outcome(job: Job, outcome: Outcome) -> None:
    """Write the record of a unit, which is done then.

    Raises:
        OutputError: it cannot be written.
    """
    with durable_write(job.path.with_suffix(".outcome")) as file:
        file.write(json.dumps(outcome.record()).encode())


def load_outcome(job: Job) -> Outcome | None:
    """The record of a unit; None if it is not done."""
    try:
        return Outcome(**json.loads(job.path.with_suffix(".outcome").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _write(job: Job, tell: Tell) -> Outcome:
    clip = job.clip
    _check_unchanged(clip)
    warnings: list[str] = []
    sequences: list[dict[str, Any]] = []
    with durable_write(job.path.with_suffix(".tar")) as file:
        writer = ShardWriter(file, job.settings.extensions)
        for number, sequence in enumerate(job.work(clip, job.settings, warnings.append)):
            runs = _write_sequence(job, writer, number, sequence, tell)
            sequences.append({"person": number, "runs": runs} | sequence.facts)
        if not len(writer):
            raise NoFaceError("no face was found in any of its frames")
        index = writer.finish()
        _check_unchanged(clip)
    save_index(job.path.with_suffix(".json"), index)
    return Outcome(
        PREPARED,
        warnings=warnings,
        samples=len(index),
        bytes=sum(size for _, size in _pieces(index, job.settings)),
        unit_sha256=index.sha256,
        pieces=_pieces(index, job.settings),
        sequences=sequences,
    )


def _write_sequence(
    job: Job, writer: ShardWriter, number: int, sequence: Sequence, tell: Tell
) -> list[list[int]]:
    """Write the samples of one person; their runs of consecutive frames."""
    stem = job.clip.name if number == 0 else f"{job.clip.name}p{number}"
    runs: list[list[int]] = []
    last: int | None = None
    for sample in sequence.samples:
        if last is None or sample.frame != last + job.settings.every:
            runs.append([len(writer), 0])
        runs[-1][1] += 1
        last = sample.frame
        facts = _provenance(job) | {"person": number, "frame": sample.frame} | sample.facts
        parts = sample.parts | {"json": json.dumps(facts).encode()}
        writer.add(f"{stem}_{sample.frame:06d}", parts)
        if len(writer) % _TELL_EVERY == 0:
            tell(len(writer))
    return runs


def _provenance(job: Job) -> dict[str, Any]:
    from morphface.core.version import __version__

    clip = job.clip
    said = {"source": clip.source, "source_sha256": clip.sha256, "morphface": __version__}
    return said | ({"identity": clip.identity} if clip.identity else {})


def _pieces(index: ShardIndex, settings: PrepareSettings) -> list[list[int]]:
    """Samples and bytes of the parts of a clip that each fit into a shard."""
    limit = ShardSize.parse(settings.shard_size)
    pieces = [[0, 0]]
    for row in range(len(index)):
        start, end = index.span(row, row + 1)
        samples, size = pieces[-1][0] + 1, pieces[-1][1] + end - start
        if pieces[-1][0] and not limit.holds(samples, size):
            pieces.append([1, end - start])
        else:
            pieces[-1] = [samples, size]
    return pieces


def _check_unchanged(clip: Clip) -> None:
    try:
        facts = Path(clip.path).stat()
    except OSError as error:
        raise VideoError("it is not there any more") from error
    if (facts.st_size, facts.st_mtime_ns) != (clip.bytes, clip.modified):
        raise VideoError("it was changed while it was prepared")


def _sentence(error: Exception, clip: Clip) -> str:
    """What is wrong, on every machine in the same words."""
    return str(error).replace(clip.path, clip.source)
