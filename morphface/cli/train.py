"""The command `morphface train`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say

__all__ = ["train"]


_Kind = Annotated[str, typer.Argument(help="Which generator: dvp.", metavar="dvp")]
_Dataset = Annotated[
    Path, typer.Argument(help="What `morphface prepare` wrote.", metavar="DATASET")
]
_Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run.", metavar="RUN")]
_Resolution = Annotated[
    int | None, typer.Option(help="Must be that of the dataset, if given.", metavar="PX")
]
_Steps = Annotated[int | None, typer.Option(help="31,000 by default.", metavar="N")]
_Batch = Annotated[int | None, typer.Option(help="16 by default.", metavar="N")]
_Width = Annotated[
    int | None, typer.Option(help="Channels of the first module; 64 by default.", metavar="N")
]
_Window = Annotated[
    int | None,
    typer.Option(help="Frames that the generator sees; 11 by default.", metavar="N"),
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
    dataset: _Dataset,
    out: _Out,
    *,
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
    """Train a generator that turns the maps of one person back into video."""
    from morphface.pipelines.training import read_settings, train_on_dataset

    wishes: dict[str, Any] = {"steps": steps, "batch": batch, "precision": precision}
    settings = read_settings(config, out if resume else None, wishes)
    metrics = train_on_dataset(
        dataset,
        out,
        kind=kind,
        settings=settings,
        resume=resume,
        validation=validation,
        force=force,
        tell=lambda words: say(words, quiet=quiet),
        resolution=resolution,
        width=width,
        norm=norm,
        offsets=None if window is None else tuple(range(1 - window, 1)),
    )
    for name, value in metrics.items():
        say(f"{name} {value:.4g}", quiet=quiet)
    say(f"written to {out}/", quiet=quiet)
