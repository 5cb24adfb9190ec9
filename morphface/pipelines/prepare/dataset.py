"""Clips in, a dataset of training samples out."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from morphface.core.errors import OutputError, ParameterError
from morphface.core.tasks.cluster import Cluster
from morphface.core.tasks.pool import Pool
from morphface.core.tasks.task import Executor
from morphface.pipelines.prepare.corpus import with_identities
from morphface.pipelines.prepare.manifest import make_manifest
from morphface.pipelines.prepare.record import (
    Before,
    check_same,
    find_before,
    finish,
    holding,
    write_plan,
)
from morphface.pipelines.prepare.run import Run, State
from morphface.pipelines.prepare.settings import PrepareSettings
from morphface.pipelines.prepare.sources import Clip, fingerprint, list_clips
from morphface.pipelines.prepare.unit import ClipWork
from morphface.pipelines.prepare.work import check_machine, work_on_clip

__all__ = ["Prepared", "prepare"]

_MOST_WORKERS = 4096


@dataclass(frozen=True)
class Prepared:
    """A finished dataset.

    Args:
        folder: where it lies.
        manifest: what its `manifest.json` holds.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """Clips that gave nothing, each with why."""
        return [
            (clip["source"]["name"], clip["reason"])
            for clip in self.manifest["clips"]
            if clip["outcome"] in ("skipped", "died")
        ]

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """Clips that are odd, each with what is odd about it."""
        return [
            (clip["source"]["name"], warning)
            for clip in self.manifest["clips"]
            for warning in clip["warnings"]
        ]


def prepare(
    inputs: Sequence[str | Path],
    out: str | Path,
    settings: PrepareSettings | None = None,
    *,
    workers: int | None = None,
    ray: str | None = None,
    progress: Callable[[State], None] | None = None,
    work: ClipWork | None = None,
    identities: str | Path = "clips",
) -> Prepared:
    """Make training samples of all frames of all clips: crops, parameters and maps.

    A run that was ended in whatever way goes on where it was when it is called again with the
    same arguments, and a finished dataset that was damaged is mended. What comes out does not
    depend on how often that happened, or on how many workers there were.

    Processes are started afresh, so a script that calls this needs the usual
    `if __name__ == "__main__":`.

    Args:
        inputs: videos, and folders of them.
        out: folder of the dataset; made if it is missing.
        settings: how clips become samples.
        workers: how many processes; by default one for each core.
        ray: address of a Ray cluster to use instead, "local" starts one here.
        progress: is told how far it is.
        work: what makes the samples of a clip, if not ours.
        identities: of a corpus: who is in which clip, see `with_identities`.

    Raises:
        MissingFileError: an input is not there, or holds no video.
        ParameterError: an argument makes no sense.
        DatasetError: `out` holds something else, or was begun with other settings or clips.
        OutputError: the dataset cannot be written, as on a full disk. What is done is kept.
        BackendError: there is no such Ray cluster.
        MissingDependencyError: Ray is not installed.
    """
    settings = settings or PrepareSettings()
    workers = _count(workers)
    clips = list_clips(inputs, out)
    if settings.corpus:
        clips = with_identities(clips, identities)
    if work is None:
        check_machine(settings)
    folder = Path(out)
    executor: Executor = Pool(workers) if ray is None else Cluster(ray, workers)
    try:
        with holding(folder), _resumable():
            before = find_before(folder)
            clips = _fingerprinted(clips, before, executor)
            if before is not None:
                check_same(folder, before, settings, clips)
            write_plan(folder, settings, clips)
            run = Run(folder, settings, clips, work or work_on_clip, executor)
            run.resume(before, progress or (lambda _: None))
            manifest = make_manifest(settings, clips, *run.finish())
            finish(folder, manifest)
    finally:
        executor.close()
    return Prepared(folder, manifest)


@contextmanager
def _resumable() -> Iterator[None]:
    """Says of what could not be written that the rest is not lost."""
    try:
        yield
    except OutputError as error:
        fact = str(error).removesuffix("; choose another place")
        raise OutputError(
            f"{fact}; what is done is kept: mend that and run the same command again"
        ) from error


def _count(workers: int | None) -> int:
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    if not 1 <= workers <= _MOST_WORKERS:
        raise ParameterError(f"workers must be from 1 to {_MOST_WORKERS}, got {workers}")
    return workers


def _fingerprinted(clips: list[Clip], before: Before | None, executor: Executor) -> list[Clip]:
    """Clips with their checksums; those that did not change since the last run are not read."""
    known = {
        (clip.source, clip.bytes, clip.modified): clip.sha256
        for clip in (before.clips if before else ())
        if clip.sha256
    }
    facts = [(clip.source, clip.bytes, clip.modified) for clip in clips]
    unread = [clip for clip, fact in zip(clips, facts, strict=True) if fact not in known]
    found = executor.each(fingerprint, unread)
    return [
        replace(clip, sha256=known[fact]) if fact in known else next(found)
        for clip, fact in zip(clips, facts, strict=True)
    ]
