"""The command `morphface train`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say
from morphface.core.errors import ParameterError

__all__ = ["train"]


_Kind = Annotated[
    str,
    typer.Argument(
        help="dvp learns one person; the others move anybody's photo: headgan by maps, conr by "
        "maps and several photos, dagan by depth and points, lia by frames of who drives. depth "
        "learns to read that off a face, for dagan. parts learns to find faces, and implicit heads "
        "with hair, for `morphface fit`.",
        metavar="dvp|headgan|conr|dagan|lia|depth|parts|implicit",
    ),
]
_Dataset = Annotated[
    Path | None,
    typer.Argument(help="What `morphface prepare` wrote; others: --corpus.", metavar="[DATASET]"),
]
_Synthetic = Annotated[
    bool, typer.Option("--synthetic", help="not dvp: train with rendered people, without end.")
]
_Start = Annotated[
    Path | None,
    typer.Option("--start", help="not dvp: begin with the weights of this run.", metavar="RUN"),
]
_Blend = Annotated[
    bool | None,
    typer.Option(
        "--blend/--no-blend",
        help="headgan, conr, dagan, lia: add what is painted to the moved photo; for short "
        "trainings.",
    ),
]
_Prior = Annotated[
    bool | None,
    typer.Option("--prior/--no-prior", help="headgan, conr: start from the mesh's flow."),
]
_Attention = Annotated[
    str | None,
    typer.Option(
        help="dagan: what asks in its attention, the mesh's depth by default.",
        metavar="depth|picture|none",
    ),
]
_KeyPoints = Annotated[
    str | None,
    typer.Option(
        "--keypoints",
        help="dagan: points of the mesh by default, or such as it finds in frames of who drives.",
        metavar="mesh|learned",
    ),
]
_Depth = Annotated[
    str | None,
    typer.Option(
        help="dagan: the mesh's by default, or read off the photo by what RUN/depth/ holds, or is "
        "trained there before. With both learned it needs no fit.",
        metavar="raster|learned",
    ),
]
_Photos = Annotated[
    int | None,
    typer.Option(help="headgan, conr: photos of a person at most; conr 4, else 1.", metavar="N"),
]
_Workers = Annotated[int, typer.Option(help="not dvp: processes that make what is trained with.")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.", metavar="RUN")]
_Resolution = Annotated[
    int | None,
    typer.Option(help="dvp: that of the dataset; others: 256 by default.", metavar="PX"),
]
_Steps = Annotated[int | None, typer.Option(help="31,000 by default; others 100,000.", metavar="N")]
_Batch = Annotated[int | None, typer.Option(help="16 by default; others 6.", metavar="N")]
_Width = Annotated[
    int | None,
    typer.Option(help="Channels of the first module; 64 by default, headgan 32.", metavar="N"),
]
_Window = Annotated[
    int | None,
    typer.Option(help="Frames that the generator sees; 11 by default, headgan 3.", metavar="N"),
]
_Norm = Annotated[str | None, typer.Option(help="Of the features.", metavar="batch|instance")]
_Precision = Annotated[
    str | None, typer.Option(help="Of the forward pass.", metavar="no|bf16|fp16")
]
_Config = Annotated[
    Path | None,
    typer.Option(help="JSON with any setting of a training, such as a run's.", metavar="FILE"),
]
_Validation = Annotated[
    float, typer.Option(help="Share of each clip, the last, that is kept to validate with.")
]
_Force = Annotated[bool, typer.Option("--force", help="Begin even if it will not fit into memory.")]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in RUN.")]


def train(
    kind: _Kind,
    dataset: _Dataset = None,
    *,
    out: _Out,
    synthetic: _Synthetic = False,
    start: _Start = None,
    blend: _Blend = None,
    prior: _Prior = None,
    attention: _Attention = None,
    keypoints: _KeyPoints = None,
    depth: _Depth = None,
    photos: _Photos = None,
    workers: _Workers = 0,
    resolution: _Resolution = None,
    steps: _Steps = None,
    batch: _Batch = None,
    width: _Width = None,
    window: _Window = None,
    norm: _Norm = None,
    precision: _Precision = None,
    config: _Config = None,
    validation: _Validation = 0.2,
    resume: _Resume = False,
    force: _Force = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train what turns maps of people back into video, finds their faces, or their heads."""
    if kind == "parts":
        given = {"steps": steps, "batch": batch, "size": resolution}
        others = (dataset, blend, prior, attention, photos, width, window, norm, precision)
        own = (keypoints, depth)
        _train_parts(out, given, config, start, resume=resume, quiet=quiet, others=others + own)
        return
    wishes: dict[str, Any] = {"steps": steps, "batch": batch, "precision": precision}
    wishes |= {"photos": photos}
    from morphface.pipelines.training import read_settings

    chosen = read_settings(config, out if resume else None, wishes, kind)
    options: dict[str, Any] = {"resolution": resolution, "width": width, "norm": norm}
    options["offsets"] = None if window is None else tuple(range(1 - window, 1))
    options |= {"validation": validation, "resume": resume, "force": force, "settings": chosen}
    options |= {"kind": kind, "tell": lambda words: say(words, quiet=quiet)}
    options |= {"blend": blend, "flow_prior": prior, "attention": attention}
    options |= {"keypoints": keypoints, "depth": depth}
    metrics = _trained(dataset, out, synthetic, start, workers, options)
    for name, value in metrics.items():
        say(f"{name} {value:.4g}", quiet=quiet)
    say(f"written to {out}/", quiet=quiet)


def _train_parts(
    out: Path,
    given: dict[str, Any],
    config: Path | None,
    start: Path | None,
    *,
    resume: bool,
    quiet: bool,
    others: tuple[object, ...],
) -> None:
    """Train what finds faces, and say how well it does."""
    from morphface.pipelines.parts.settings import read_parts_settings
    from morphface.pipelines.parts.training import train_parts

    if any(other is not None for other in others):
        raise ParameterError(
            "parts learns from rendered crowds: it takes --steps, --batch, --resolution, --config, "
            "--start and --resume, and neither a DATASET nor options of generators"
        )
    settings = read_parts_settings(config, out if resume else None, given)
    found = train_parts(
        out, settings, resume=resume, start=start, tell=lambda words: say(words, quiet=quiet)
    )
    for name, value in found.items():
        say(f"{name} {value:.4g}", quiet=quiet)
    say(f"written to {out}/", quiet=quiet)


def _trained(
    dataset: Path | None,
    out: Path,
    synthetic: bool,
    start: Path | None,
    workers: int,
    options: dict[str, Any],
) -> dict[str, float]:
    """Train; what was measured in the end."""
    from morphface.generate import needs_of

    if options["kind"] == "implicit":
        return _heads(dataset, out, start, workers, options)
    own: dict[str, Any] = {"synthetic": synthetic, "start": start, "workers": workers}
    if options["kind"] == "depth":
        from morphface.pipelines.oneshot.depths import train_depth

        del options["kind"], options["validation"]
        return train_depth(dataset, out, **own, **options)
    if needs_of(options["kind"]).photos != 0:
        from morphface.pipelines.oneshot.training import train_one_shot

        return train_one_shot(dataset, out, **own, **options)
    from morphface.pipelines.training import train_on_dataset

    if dataset is None or synthetic or start is not None:
        raise ParameterError(
            "dvp learns one person from a DATASET of `morphface prepare`; --synthetic and --start "
            "are for the others"
        )
    return train_on_dataset(dataset, out, **options)


def _heads(
    dataset: Path | None, out: Path, start: Path | None, workers: int, options: dict[str, Any]
) -> dict[str, float]:
    """Train an implicit head; what was measured in the end."""
    from morphface.generate import Observer
    from morphface.pipelines import train_implicit

    how = {"resume": options.pop("resume"), "force": options.pop("force"), "workers": workers}
    observer = Observer(tell=options.pop("tell"))
    del options["kind"], options["validation"]
    return train_implicit(out, dataset=dataset, start=start, observer=observer, how=how, **options)
