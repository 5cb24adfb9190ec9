"""The commands `morphface prepare` and `morphface inspect`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from morphface.cli.options import Debug, Model, Quiet, Stage, Strict
from morphface.cli.output import named, progress_bar, say, table
from morphface.core.errors import StoppedError

if TYPE_CHECKING:
    from rich.progress import Progress

    from morphface.pipelines.prepare import Prepared, State

__all__ = ["SOME_SKIPPED", "inspect", "prepare"]

_TOLD = "{task.completed:.0f}/{task.total} clips  {task.fields[words]}"

CORPUS_MAPS = ("correspondence",)
SOME_SKIPPED = 3
"""Exit code of a dataset that is whole, but lacks clips that could not be used."""

_NAMED = 10


Inputs = Annotated[
    list[Path], typer.Argument(help="Videos, and folders of videos.", metavar="VIDEO...")
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the dataset.", metavar="DATASET")]
Maps = Annotated[
    str | None,
    typer.Option(
        help="Maps to render, with commas between them; by default diffuse, correspondence and "
        "gaze, of a corpus correspondence alone.",
        metavar="NAMES",
    ),
]
Corpus = Annotated[
    bool,
    typer.Option(
        "--corpus",
        help="Clips of many people for one-shot generators: with mattes and candidates for the "
        "photo; clips that do not serve are left out.",
    ),
]
Identities = Annotated[
    str,
    typer.Option(
        help="Who is in which clip of a corpus: clips (each another person), folders (the first "
        "folder is the person), or a CSV file with the columns clip and identity.",
        metavar="clips|folders|FILE",
    ),
]
Size = Annotated[int, typer.Option(help="Side of crops and maps in pixels.", metavar="PX")]
Every = Annotated[int, typer.Option(help="Take one frame of so many.", metavar="N")]
People = Annotated[int, typer.Option(help="The most people of a clip to take.", metavar="N")]
ShardSize = Annotated[
    str, typer.Option(help="Samples in a shard, as 5000, or its size.", metavar="N|512MB|1GiB")
]
Workers = Annotated[
    int | None, typer.Option(help="How many processes; by default one a core.", metavar="N")
]
Ray = Annotated[
    str | None,
    typer.Option(help="Use a Ray cluster instead.", metavar="local|auto|HOST:PORT"),
]


def prepare(
    inputs: Inputs,
    out: Out,
    *,
    maps: Maps = None,
    size: Size = 256,
    every: Every = 1,
    people: People = 1,
    model: Model = "open-head",
    stage: Stage = "pixels",
    shard_size: ShardSize = "512MB",
    strict: Strict = None,
    corpus: Corpus = False,
    identities: Identities = "clips",
    workers: Workers = None,
    ray: Ray = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a training dataset of videos: crops, parameters and maps of every frame.

    A run that was ended goes on when the same command is given again; a finished dataset that was
    damaged is mended by it. Exit codes: 0 all well, 3 some clips were skipped, 2 something to
    mend, 130 interrupted; what is done is kept in all cases.
    """
    with progress_bar(_TOLD, quiet=quiet) as bar:
        task = bar.add_task("loading", total=None, words="")
        from morphface.pipelines.prepare import PrepareSettings
        from morphface.pipelines.prepare import prepare as run
        from morphface.render.maps import DVP

        settings = PrepareSettings(
            maps=named(maps) or (CORPUS_MAPS if corpus else DVP),
            size=size,
            every=every,
            people=people,
            model=model,
            stage=stage,
            shard_size=shard_size,
            strict=named(strict),
            corpus=corpus,
        )
        with _resumable(out):
            made = run(
                inputs,
                out,
                settings,
                workers=workers,
                ray=ray,
                identities=identities,
                progress=lambda state: _show(bar, task, state),
            )
    _summarise(made, quiet)
    if made.skipped:
        raise typer.Exit(SOME_SKIPPED)


def inspect(
    dataset: Annotated[
        Path, typer.Argument(help="Folder that `morphface prepare` made.", metavar="DATASET")
    ],
    *,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="Where the contact sheet goes; by default sheet.jpg in the dataset.",
            metavar="FILE",
        ),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read all files and compare their checksums.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option(
            help="Show and count only frames with these warnings, commas between them, or all.",
            metavar="NAMES",
        ),
    ] = None,
    below: Annotated[
        float | None,
        typer.Option(
            help="Show and count only frames of people of less quality than Q, 0 to 1.",
            metavar="Q",
        ),
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what a dataset holds: a table of statistics, and a sheet of frames with their maps."""
    from morphface.pipelines.inspect import inspect_dataset

    found = inspect_dataset(dataset, sheet, verify=verify, only=named(only), below=below)
    if not quiet:
        table(found.rows)
    if found.sheet:
        say(f"contact sheet: {found.sheet}", quiet=quiet)
    if verify:
        say("all files are as they were written", quiet=quiet)


@contextmanager
def _resumable(out: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as error:
        raise StoppedError(
            f"interrupted; what is done is kept in {out}: give the same command again to go on"
        ) from error


def _show(bar: "Progress", task: Any, state: "State") -> None:
    begun = bar.tasks[0].fields.setdefault("begun", (bar.get_time(), state.samples))
    seconds = bar.get_time() - begun[0]
    rate = (state.samples - begun[1]) / seconds if seconds > 1 else 0.0
    words = f"{state.samples} frames, {rate:.1f}/s, {state.shards} shards"
    if state.skipped:
        words += f", {state.skipped} clips skipped"
    bar.update(task, description="preparing", completed=state.done, total=state.clips, words=words)


def _summarise(made: "Prepared", quiet: bool) -> None:
    manifest = made.manifest
    clips = manifest["statistics"]["clips"]
    say(
        f"{manifest['samples']} samples of {clips['prepared']} clips in "
        f"{len(manifest['shards'])} shards, {manifest['bytes'] / 1e6:.1f} MB",
        quiet=quiet,
    )
    rejected = manifest["statistics"]["rejected_because"]
    if rejected:
        words = ", ".join(f"{count} for {rule}" for rule, count in rejected.items())
        say(f"rejected: {words}", quiet=quiet)
    for word, rows in (("skipped", made.skipped), ("note", made.warnings)):
        for name, reason in rows[:_NAMED]:
            say(f"{word}: {name}: {reason}", quiet=quiet, style="yellow")
        if len(rows) > _NAMED:
            say(f"{word}: {len(rows) - _NAMED} more, see {made.folder}/manifest.json", quiet=quiet)
    say(f"written to {made.folder}/", quiet=quiet)
