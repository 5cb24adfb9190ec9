"""The commands `morphface models ...`: parse, call a pipeline, print."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from morphface.core.errors import ParameterError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Show, convert and prepare morphable models.")

_Name = Annotated[str, typer.Argument(help="Name or path of a model.", metavar="NAME_OR_PATH")]
_Expression = Annotated[
    Path | None,
    typer.Option(help="A file with the model's expression basis.", metavar="FILE"),
]
_Texture = Annotated[
    Path | None, typer.Option(help="A file with the model's texture space.", metavar="FILE")
]
_Landmarks = Annotated[
    list[Path] | None,
    typer.Option(help="A file that says where landmarks are; may be repeated.", metavar="FILE"),
]
_Quiet = Annotated[
    bool, typer.Option("--quiet", help="Say nothing, errors included: the exit code tells.")
]
_Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.command("list")
def list_(quiet: _Quiet = False, debug: _Debug = False) -> None:
    """Show which models are here, and where the others are to be had under which licence."""
    from morphface.pipelines.models import list_models

    _table(
        ("ok" if item.here else "no", item.name, item.title, item.licence, item.note)
        for item in list_models()
    )


@app.command()
def info(
    model: _Name,
    expression: _Expression = None,
    texture: _Texture = None,
    landmarks: _Landmarks = None,
    quiet: _Quiet = False,
    debug: _Debug = False,
) -> None:
    """Show what is in a model: sizes, units, expressions, landmarks, licence."""
    from morphface.pipelines.models import describe_model

    options = _files(expression, texture, landmarks)
    _table(describe_model(model, **options).items())


@app.command()
def convert(
    source: Annotated[
        str, typer.Argument(help="Name or path of a model.", metavar="SOURCE", show_default=False)
    ],
    target: Annotated[
        str,
        typer.Argument(
            help="A path that ends with .safetensors, or a name for the folder of models.",
            metavar="TARGET",
        ),
    ],
    expression: _Expression = None,
    texture: _Texture = None,
    landmarks: _Landmarks = None,
    half: Annotated[
        bool, typer.Option("--half", help="Half precision: half the size, micrometres off.")
    ] = False,
    quiet: _Quiet = False,
    debug: _Debug = False,
) -> None:
    """Write a model in morphface's own format: one file, quick and safe to load."""
    from morphface.pipelines.models import convert_model

    options = _files(expression, texture, landmarks)
    _tell(f"written to {convert_model(source, target, half=half, **options)}", quiet)


@app.command()
def embed(model: _Name, quiet: _Quiet = False, debug: _Debug = False) -> None:
    """Find where the landmarks lie on a model, and keep that beside it for later fits."""
    from morphface.pipelines.model_landmarks import embed_model

    place = embed_model(model, lambda words: _tell(words, quiet))
    _tell(f"written to {place}", quiet)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Name of a published model, as in `list`.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Accept the licence, and fetch it without asking.")
    ] = False,
    quiet: _Quiet = False,
    debug: _Debug = False,
) -> None:
    """Fetch a model that needs no registration, or say where to get it. Opens no browser."""
    from morphface.models.catalogue import how_to_get
    from morphface.pipelines.model_downloads import download_model, published_model

    model = published_model(name)
    _tell(f"{model.title}; licence: {model.licence}", quiet)
    if not model.downloads:
        typer.echo(how_to_get(model))
        return
    use = "commercial use allowed" if model.commercial else "no commercial use"
    if not (yes or sys.stdin.isatty()):
        raise ParameterError(f"pass --yes to accept the licence of {name} ({use})")
    if not yes and not typer.confirm(f"Fetch it under this licence ({use})?", err=True):
        return
    for place in download_model(name):
        _tell(f"written to {place}", quiet)


def _files(
    expression: Path | None, texture: Path | None, landmarks: list[Path] | None
) -> dict[str, Any]:
    found = tuple(landmarks or ())
    return {
        "expression": expression,
        "texture": texture,
        "landmarks": found[0] if len(found) == 1 else found or None,
    }


def _tell(words: str, quiet: bool) -> None:
    if not quiet:
        typer.echo(words, err=True)


def _table(rows: Iterable[tuple[str, ...]]) -> None:
    """Columns for a terminal; lines that a program can cut, with tabs, for anything else."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False, emoji=False).print(table)
