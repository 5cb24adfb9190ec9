"""Many photos of `morphface fit`: a bar that tells the rate, and what was skipped."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from morphface.cli.output import progress_bar, say
from morphface.core.errors import StoppedError

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["SKIPPED", "fit_many"]

SKIPPED = 3
"""Exit code of a run that fitted what it could, and had to skip some photos."""


def fit_many(
    images: Sequence[str], out: Path, options: dict[str, Any], *, workers: int, quiet: bool
) -> int:
    """Fit each photo on its own; the exit code.

    Args:
        images: files, folders, patterns and samples.
        out: the folder of the results.
        options: of `reconstruct_many`.
        workers: how many processes fit.
        quiet: whether to say nothing.

    Raises:
        StoppedError: it was interrupted; what was fitted until then is kept.
    """
    from morphface.pipelines.many import reconstruct_many

    done, told = [0, 0], "{task.completed:.0f}/{task.total}  {task.fields[rate]}"
    bar = progress_bar(told, quiet=quiet)
    task = bar.add_task("fitting", total=None, rate="")

    def advance(so_far: int, of: int, wrong: str) -> None:
        done[:] = so_far, of
        say(f"skipped: {wrong}", quiet=quiet or not wrong, style="yellow")
        bar.update(task, completed=so_far, total=of, rate=_rate(bar, task))

    try:
        with bar:
            report = reconstruct_many(images, out, workers=workers, advance=advance, **options)
    except KeyboardInterrupt as stop:
        raise StoppedError(
            f"interrupted after {done[0]} of {done[1]} photos, which are in {out}/; "
            "the same command goes on from there"
        ) from stop
    return _summarise(report, out, quiet)


def _rate(bar: "Progress", task: Any) -> str:
    speed = bar.tasks[task].speed
    if not speed:
        return ""
    return f"{speed:.1f} photos/s" if speed >= 1 else f"{1 / speed:.1f} s a photo"


def _summarise(report: dict[str, Any], out: Path, quiet: bool) -> int:
    doubted = [
        f"{photo['image']} may not be trusted: {face['reason']}"
        for photo in report["photos"]
        for face in photo.get("faces", [])
        if not face["converged"]
    ]
    for line in doubted:
        say(line, quiet=quiet, style="yellow")
    count, failed = len(report["photos"]), report["failed"]
    skipped = f"; {failed} skipped" if failed else ""
    say(f"{count - failed} of {count} photos fitted{skipped}; written to {out}/", quiet=quiet)
    return SKIPPED if failed else 0
