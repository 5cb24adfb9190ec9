"""Videos of a run's person: driven by another, or by a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from morphface.core.errors import ParameterError
from morphface.edit import MODES, TransferSettings
from morphface.media.shards.durable import file_sha256
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact.backdrop import clip_of
from morphface.pipelines.reenact.driver import (
    Driver,
    beyond,
    chosen_rows,
    driven,
    read_driver,
    rows_at,
    run_settings,
    strayed,
)
from morphface.pipelines.reenact.film import check_out, compare_path, film, provenance
from morphface.pipelines.reenact.look import Look, Motion
from morphface.pipelines.reenact.run import Run, open_run
from morphface.pipelines.reenact.script import Key, animated, read_script

__all__ = ["animate_video", "driven_film", "read_keys", "reenact_video", "scripted_film", "written"]

_PANEL = 256


def reenact_video(
    run: str | Path,
    driver: str | Path,
    out: str | Path,
    *,
    settings: str | TransferSettings = "reenact",
    compare: bool = False,
    label: bool = True,
    crop_only: bool = False,
    clip: str | Path | None = None,
    sound: str = "driver",
    model: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make the person of a run do what a driver does.

    Args:
        run: the folder of a run, or a copy of it.
        driver: a video, or what `morphface track` wrote of one.
        out: the video to write. It always says in its metadata that it is synthesised.
        settings: as in `morphface.edit.transfer`; a mode by name takes the driver's turns of the
            head relative to its mean, and stops where the network's training did.
        compare: write a second video, `OUT-compare`, with source, target, maps and result.
        label: write `synthetic` into a corner of the frames.
        crop_only: write the square that the network makes, not the frame that it is a part of.
        clip: the clip that the run was trained on, for its frames and its sound; None looks
            where it was seen last, and in the run.
        sound: of the "driver", the "target" or "none".
        model: where a model is that is not known by its name.
        progress: is told what begins now.

    Returns:
        What was written, into what it was pasted, its provenance, and warnings.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    tell = progress or (lambda _: None)
    chosen, place = run_settings(settings), Path(out)
    look = Look(compare=compare, label=label, crop_only=crop_only, clip=clip, sound=sound)
    check_out(place, [driver, clip], look)
    opened = open_run(run, model=model)
    clip_of(opened.path, opened.target, clip)  # refused before the driver is tracked
    moves = read_driver(driver, opened, model=model, progress=tell)
    return driven_film(opened, moves, chosen, place, look, tell=tell)


def driven_film(
    opened: Run,
    moves: Driver,
    chosen: TransferSettings,
    place: Path,
    look: Look,
    *,
    tell: Progress,
) -> dict[str, Any]:
    """Make the person of an opened run do what a driver does.

    Args:
        opened: who moves.
        moves: whose motion it is.
        chosen: what is transferred.
        place: the video to write.
        look: what is written.
        tell: is told what begins now.

    Returns:
        As `reenact_video`.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    tell("transferring")
    track = opened.target.track
    rows = rows_at(track, moves.times - moves.times[0], opened.target.rate)
    parameters = driven(moves, opened, chosen, rows)
    crop = moves.crop(_PANEL, track, opened.model) if look.compare and moves.video else None
    motion = Motion(parameters, rows, moves.times, moves.actor.rate, moves.video, crop)
    known = moves.actor.path
    facts = {"driver": Path(known).name, "driver_sha256": file_sha256(known)}
    lost = moves.actor.warning
    words = f"{Path(known).name}: {lost}; it stands still there" if lost else ""
    warnings = [opened.warning, words, strayed(moves, opened, chosen, rows)]
    modes = ((name, run_settings(name, limit=limit)) for name in MODES for limit in (True, False))
    mode = next((name for name, known in modes if known == chosen), "custom")
    report = written(opened, motion, place, look, facts, tell=tell)
    return report | {"mode": mode, "warnings": [words for words in warnings if words]}


def animate_video(
    run: str | Path,
    script: str | Path | Sequence[dict[str, Any]],
    out: str | Path,
    *,
    base: int | None = None,
    compare: bool = False,
    label: bool = True,
    crop_only: bool = False,
    clip: str | Path | None = None,
    sound: str = "none",
    model: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make the person of a run do what key frames say.

    Args:
        run: the folder of a run, or a copy of it.
        script: key frames, or their file; `pipelines/reenact/script.py` says what they hold.
        out: the video to write. It always says in its metadata that it is synthesised.
        base: what the key frames change: the target's own track, back and forth, or one frame of
            it by its number, from 0.
        compare: as in `reenact_video`.
        label: as in `reenact_video`.
        crop_only: as in `reenact_video`.
        clip: as in `reenact_video`.
        sound: of the "target" or "none".
        model: as in `reenact_video`.
        progress: is told what begins now.

    Returns:
        As `reenact_video`.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    script_read = read_keys(script, sound)
    look = Look(compare=compare, label=label, crop_only=crop_only, clip=clip, sound=sound)
    check_out(Path(out), [script_read.file, clip], look)
    opened = open_run(run, model=model)
    tell = progress or (lambda _: None)
    return scripted_film(opened, script_read, Path(out), look, base=base, tell=tell)


@dataclass(frozen=True)
class ReadScript:
    """Key frames, and where they are from.

    Args:
        keys: rising in time.
        file: that holds them, if one does.
    """

    keys: list[Key]
    file: str | Path | None


def read_keys(script: str | Path | Sequence[dict[str, Any]], sound: str) -> ReadScript:
    """Key frames of a script, before anything is opened.

    Args:
        script: key frames, or their file.
        sound: that is wanted with them.

    Raises:
        ParameterError: it is that of a driver; or as of `read_script`.
    """
    if sound == "driver":
        raise ParameterError("sound must be target or none: a script has no driver")
    return ReadScript(read_script(script), script if isinstance(script, str | Path) else None)


def scripted_film(
    opened: Run,
    script: ReadScript,
    place: Path,
    look: Look,
    *,
    base: int | None = None,
    tell: Progress,
) -> dict[str, Any]:
    """Make the person of an opened run do what key frames say.

    Args:
        opened: who moves.
        script: what they do.
        place: the video to write.
        look: what is written.
        base: as in `animate_video`.
        tell: is told what begins now.

    Returns:
        As `animate_video`.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    target, keys, file = opened.target, script.keys, script.file
    times = torch.arange(int(keys[-1].time * target.rate + 1e-6) + 1) / target.rate
    rows = rows_at(target.track, times.double(), target.rate)
    if base is not None:
        rows = torch.full_like(rows, _base(base, opened))
    start = chosen_rows(target.track.parameters, rows)
    parameters = animated(keys, start, times.double(), opened.model)
    motion = Motion(parameters, rows, times.double(), target.rate)
    facts = {} if file is None else {"script": Path(file).name, "script_sha256": file_sha256(file)}
    report = written(opened, motion, place, look, facts, tell=tell)
    words = "" if opened.of_photo else beyond(parameters, target.track)
    warnings = [opened.warning, f"{words}: expect flaws there" if words else ""]
    warned = [words for words in warnings if words]
    return report | {"key_frames": len(keys), "warnings": warned}


def _base(number: int, run: Run) -> int:
    frames = run.target.track.frames
    if not 0 <= number < frames:
        raise ParameterError(f"base must be a frame from 0 to {frames - 1}, got {number}")
    return number


def written(
    run: Run, motion: Motion, out: Path, look: Look, facts: dict[str, str], *, tell: Progress
) -> dict[str, Any]:
    """Make the video, and say what was made.

    Args:
        run: who moves.
        motion: what to show.
        out: the video to write.
        look: what is written.
        facts: what the file says about itself.
        tell: is told how far it is.
    """
    known = provenance(run, facts)
    done = film(run, motion, out, look, facts=known, tell=tell)
    return {
        "out": str(out),
        "frames": done.frames,
        "size": list(done.size),
        "background": done.background,
        "sound": done.sound,
        "compare": str(compare_path(out)) if look.compare else None,
        "label": look.label,
        "provenance": known,
    }
