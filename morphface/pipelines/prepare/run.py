"""Preparing a dataset: hands out units of work, packs them in order, and writes the manifest.

Any number of units may be under way; shards are packed as soon as all clips before their end are
done, and units go once their shards are on the disk. What is on the disk says all: a run that was
killed anywhere goes on from there when it is started again. So is a clip whose process died: it is
tried again by later runs, a few times.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphface.core.errors import DatasetError
from morphface.core.tasks.task import Died, Executor, Finished, Raised, Task, Told
from morphface.pipelines.prepare.packing import Layout, Piece, Plan, check_shard, pack_shard
from morphface.pipelines.prepare.record import WORK, Before
from morphface.pipelines.prepare.settings import PrepareSettings, ShardSize
from morphface.pipelines.prepare.sources import Clip
from morphface.pipelines.prepare.unit import (
    DIED,
    DUPLICATE,
    SKIPPED,
    ClipWork,
    Job,
    Outcome,
    do_unit,
    load_outcome,
    save_outcome,
)

__all__ = ["Run", "State"]

_MOST_PACKINGS = 3
"""How often the units of one shard are made anew before the disk is not trusted any more."""


@dataclass(frozen=True)
class State:
    """How far a run is.

    Args:
        clips: how many there are.
        done: how many of them are.
        skipped: how many of those gave nothing.
        samples: how many were made or found.
        shards: how many are packed.
    """

    clips: int
    done: int = 0
    skipped: int = 0
    samples: int = 0
    shards: int = 0


class Run:
    """One run over the clips of a dataset.

    Args:
        folder: of the dataset.
        settings: to prepare with.
        clips: with their checksums.
        work: done for each.
        executor: where.
    """

    def __init__(
        self,
        folder: Path,
        settings: PrepareSettings,
        clips: Sequence[Clip],
        work: ClipWork,
        executor: Executor,
    ) -> None:
        self._folder, self._settings, self._executor = folder, settings, executor
        units = str((folder / WORK / "units").absolute())
        stamp = settings.digest[:8]
        self._jobs = [Job(units, clip, settings, work, stamp) for clip in clips]
        self._progress: Callable[[State], None] = lambda _: None
        self._outcomes: dict[int, Outcome] = {}
        self._layout = Layout(ShardSize.parse(settings.shard_size))
        self._skipped, self._samples, self._next = 0, 0, 0
        self._plans: list[Plan] = []
        self._packed: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, set[int]] = {}
        self._tries: Counter[int] = Counter()
        self._packings: Counter[str] = Counter()
        self._unpacked: Counter[int] = Counter()
        self._telling: dict[str, int] = {}

    def resume(self, before: Before | None, progress: Callable[[State], None]) -> None:
        """Take up what was done before.

        Args:
            before: what was made in the folder.
            progress: is told how far the run is.
        """
        self._progress = progress
        known = before.outcomes if before else None
        first: dict[str, str] = {}
        for number, job in enumerate(self._jobs):
            found = known[number] if known else self._found(job, first)
            if found is not None and not found.final:
                self._tries[number] = found.tries
            elif found is not None:
                self._settle(number, found)
        while self._next in self._outcomes:
            self._lay_out()
        self._adopt(before.shards if before else {})

    def _found(self, job: Job, first: dict[str, str]) -> Outcome | None:
        """What is known of a clip before it is prepared."""
        clip = job.clip
        if not clip.sha256:
            return Outcome(SKIPPED, "it cannot be read")
        twin = first.setdefault(clip.sha256, clip.source)
        if twin != clip.source:
            return Outcome(DUPLICATE, f"it has the same content as {twin}")
        return load_outcome(job)

    def finish(self) -> tuple[list[Outcome], list[dict[str, Any]]]:
        """Do the rest; outcomes of all clips and entries of all shards, in order.

        Raises:
            MorphfaceError: what stops a run, such as a full disk. What is done is kept.
        """
        for number in range(len(self._jobs)):
            if number not in self._outcomes:
                self._begin(number)
        for plan in self._plans:
            if plan.path not in self._packed:
                self._pack(plan)
        self._report()
        for event in self._executor.events():
            self._take(event)
            self._report()
        outcomes = [self._outcomes[number] for number in range(len(self._jobs))]
        return outcomes, [self._packed[plan.path] for plan in self._plans]

    def _adopt(self, shards: dict[str, dict[str, Any]]) -> None:
        """Keep the shards that are whole."""
        for plan, entry in zip(
            self._plans, self._executor.each(check_shard, list(self._plans)), strict=True
        ):
            wanted = shards.get(Path(plan.path).name, entry)
            if entry is not None and entry == wanted:
                self._keep(plan, entry)

    def _take(self, event: Any) -> None:
        if isinstance(event, Raised):
            raise event.error
        if isinstance(event, Told):
            self._telling[event.task.name] = event.frames
            return
        subject = event.task.arguments[0]
        if isinstance(subject, Plan):
            self._packing(subject, event)
            return
        number = int(event.task.name)
        outcome = event.value if isinstance(event, Finished) else self._died(number, event)
        self._telling.pop(event.task.name, None)
        self._made(number, outcome)

    def _died(self, number: int, event: Died) -> Outcome:
        outcome = Outcome(DIED, event.reason, tries=self._tries[number] + 1)
        save_outcome(self._jobs[number], outcome)
        return outcome

    def _begin(self, number: int) -> None:
        self._executor.submit(Task(str(number), do_unit, (self._jobs[number],)))

    def _made(self, number: int, outcome: Outcome) -> None:
        if self._settle(number, outcome) != outcome:
            reason = outcome.reason or "it comes out otherwise"
            raise DatasetError(
                f"{self._jobs[number].clip.source} was prepared before, but cannot be again: "
                f"{reason}; prepare all clips into another folder"
            )
        while self._next in self._outcomes:
            for plan in self._lay_out():
                self._pack(plan)
        for path, missing in list(self._waiting.items()):
            missing.discard(number)
            if not missing:
                del self._waiting[path]
                self._pack(next(plan for plan in self._plans if plan.path == path))

    def _lay_out(self) -> list[Plan]:
        """Give the next clip its place; the shards that are full now."""
        number, outcome = self._next, self._outcomes[self._next]
        self._next += 1
        full: list[tuple[Piece, ...]] = []
        job, first = self._jobs[number], 0
        for samples, size in outcome.pieces:
            last = first + samples
            piece = Piece(number, str(job.path), job.clip.name, outcome.unit_sha256, first, last)
            full += self._layout.add(piece, size)
            self._unpacked[number] += 1
            first = last
        if self._next == len(self._jobs):
            full += self._layout.rest()
        plans = [self._plan(len(self._plans) + k, pieces) for k, pieces in enumerate(full)]
        self._plans += plans
        return plans

    def _plan(self, number: int, pieces: tuple[Piece, ...]) -> Plan:
        path = str((self._folder / f"shard-{number:06d}").absolute())
        return Plan(path, pieces, self._settings.extensions)

    def _pack(self, plan: Plan) -> None:
        self._packings[plan.path] += 1
        if self._packings[plan.path] > _MOST_PACKINGS:
            raise DatasetError(
                f"what is written for {Path(plan.path).name} does not stay as it was written; "
                "check the disk"
            )
        self._executor.submit(Task(plan.path, pack_shard, (plan,)), first=True)

    def _packing(self, plan: Plan, event: Finished | Died) -> None:
        if isinstance(event, Died):
            raise DatasetError(f"{Path(plan.path).name} could not be packed: {event.reason}")
        broken = event.value.get("broken")
        if broken is None:
            self._keep(plan, event.value)
            return
        self._waiting[plan.path] = set(broken)
        for number in broken:
            self._begin(number)

    def _keep(self, plan: Plan, entry: dict[str, Any]) -> None:
        """A shard is on the disk: the units that are wholly packed are not needed any more."""
        self._packed[plan.path] = entry
        for piece in plan.pieces:
            self._unpacked[piece.clip] -= 1
            if not self._unpacked[piece.clip]:
                for suffix in (".tar", ".json"):
                    Path(piece.unit).with_suffix(suffix).unlink(missing_ok=True)

    def _settle(self, number: int, outcome: Outcome) -> Outcome:
        """Note what became of a clip; what is known of it already, else that."""
        if number not in self._outcomes:
            self._outcomes[number] = outcome
            self._skipped += outcome.outcome in (SKIPPED, DIED)
            self._samples += outcome.samples
        return self._outcomes[number]

    def _report(self) -> None:
        self._progress(
            State(
                clips=len(self._jobs),
                done=len(self._outcomes),
                skipped=self._skipped,
                samples=self._samples + sum(self._telling.values()),
                shards=len(self._packed),
            )
        )
