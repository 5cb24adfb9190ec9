"""What a run of `prepare` leaves in its folder while it is under way, and how it is found again.

`.work/plan.json` says what is made of which clips; `.work/units/` has the units of work that are
done and not yet packed. Both go when the dataset is finished: the manifest then says the same.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from morphface.core.errors import DatasetError, OutputError
from morphface.media.shards import durable_write, open_shards, remove_fragments
from morphface.media.shards.folder import MANIFEST
from morphface.pipelines.prepare.manifest import outcome_of
from morphface.pipelines.prepare.settings import PrepareSettings, differences, versions
from morphface.pipelines.prepare.sources import Clip
from morphface.pipelines.prepare.unit import Outcome

__all__ = ["WORK", "Before", "check_same", "find_before", "finish", "holding", "write_plan"]

WORK = ".work"
_PLAN = "plan.json"
_LOCK = "lock"


@dataclass(frozen=True)
class Before:
    """What was made in a folder before.

    Args:
        settings: with which.
        versions: with which.
        clips: of which; those of a finished dataset have no path.
        outcomes: of the clips of a finished dataset, None for one that is not.
        shards: entries of the manifest of a finished dataset, by name.
    """

    settings: dict[str, Any]
    versions: dict[str, str]
    clips: tuple[Clip, ...]
    outcomes: tuple[Outcome, ...] | None
    shards: dict[str, dict[str, Any]]


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """The folder of a dataset, made if it is missing, kept from other runs while this lasts.

    Raises:
        OutputError: it cannot be made or written to, or another run is at work in it.
        DatasetError: it holds something else.
    """
    _check_ours(folder)
    with durable_write(folder / WORK / "begun") as file:
        file.write(b"")
    with (folder / WORK / _LOCK).open("w") as lock:
        if not _lock(lock.fileno()):
            raise OutputError(
                f"another `morphface prepare` is at work in {folder}; wait for it or end it first"
            )
        remove_fragments(folder)
        yield


def find_before(folder: Path) -> Before | None:
    """What was made in `folder` before; None if nothing, or nothing that can be used.

    Args:
        folder: of the dataset.
    """
    if (folder / MANIFEST).exists():
        try:
            return _of_manifest(open_shards(folder).manifest)
        except DatasetError:
            pass  # the manifest is damaged: all is made anew and comes out the same
    try:
        plan = json.loads((folder / WORK / _PLAN).read_bytes())
        clips = tuple(Clip(**clip) for clip in plan["clips"])
        return Before(plan["settings"], plan["versions"], clips, None, {})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_plan(folder: Path, settings: PrepareSettings, clips: Sequence[Clip]) -> None:
    """Say what is going to be made.

    Raises:
        OutputError: it cannot be written.
    """
    plan = {
        "settings": _plain(settings),
        "versions": versions(settings.model),
        "clips": [asdict(clip) for clip in clips],
    }
    with durable_write(folder / WORK / _PLAN) as file:
        file.write(json.dumps(plan).encode())


def check_same(
    folder: Path, before: Before, settings: PrepareSettings, clips: Sequence[Clip]
) -> None:
    """Refuse to go on with other settings, versions or clips.

    Raises:
        DatasetError: the message says what differs.
    """
    found = differences(before.settings, _plain(settings))
    found += differences(before.versions, versions(settings.model))
    found += _changes(before.clips, clips)
    if found:
        raise DatasetError(
            f"{folder} was begun otherwise: {'; '.join(found)}; repeat it as it was begun, or "
            "choose another folder"
        )


def finish(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest, and remove what only a run under way needs.

    Raises:
        OutputError: it cannot be written.
    """
    with durable_write(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1).encode())
    shutil.rmtree(folder / WORK, ignore_errors=True)


def _check_ours(folder: Path) -> None:
    if not folder.is_dir() or (folder / WORK).is_dir() or (folder / MANIFEST).is_file():
        return
    other = next(folder.iterdir(), None)
    if other is not None:
        raise DatasetError(
            f"{folder} holds other files, such as {other.name}; choose an empty or new folder"
        )


def _lock(handle: int) -> bool:
    """Whether a file could be locked; locks go with the process that holds them."""
    try:
        import fcntl
    except ImportError:  # not on this system
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _plain(settings: PrepareSettings) -> dict[str, Any]:
    """Settings as they come back from JSON."""
    return json.loads(json.dumps(asdict(settings)))


def _of_manifest(manifest: dict[str, Any]) -> Before:
    clips = tuple(
        Clip("", source["name"], source["bytes"], 0, source["sha256"], source.get("identity", ""))
        for source in (record["source"] for record in manifest["clips"])
    )
    outcomes = tuple(outcome_of(record) for record in manifest["clips"])
    shards = {shard["name"]: shard for shard in manifest["shards"]}
    return Before(manifest["settings"], manifest["versions"], clips, outcomes, shards)


def _changes(before: Sequence[Clip], now: Sequence[Clip]) -> list[str]:
    """How two lists of clips differ, in words; the first of each kind is named."""
    was = {clip.source: clip.sha256 for clip in before}
    here = {clip.source: clip.sha256 for clip in now}
    who = {clip.source: clip.identity for clip in before}
    kinds = {
        "is new": [name for name in here if name not in was],
        "is missing": [name for name in was if name not in here],
        "has another content": [name for name in here if was.get(name, here[name]) != here[name]],
        "has another identity": [
            c.source for c in now if who.get(c.source, c.identity) != c.identity
        ],
    }
    found = [_few(names, kind) for kind, names in kinds.items() if names]
    if not found and [clip.source for clip in before] != [clip.source for clip in now]:
        found.append("the clips come in another order")
    return found


def _few(names: list[str], what: str) -> str:
    more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
    return f"the clip {names[0]}{more} {what}"
