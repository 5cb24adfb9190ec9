"""The commands `morphface models ...`: parse, call a pipeline, print."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say, table
from morphface.core.errors import ParameterError

if TYPE_CHECKING:
    from morphface.models.known import Download

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
_Identities = Annotated[
    int | None,
    typer.Option(
        "--identity-count",
        help="How many directions of a FLAME that was cut are identity; the rest are expression.",
        metavar="N",
    ),
]


@app.command("list")
def list_(quiet: Quiet = False, debug: Debug = False) -> None:
    """Show which models are here, and where the others are to be had under which licence."""
    from morphface.pipelines.models import list_models

    table(
        ("ok" if item.here else "no", item.name, item.title, item.licence, item.note)
        for item in list_models()
    )


@app.command()
def info(
    model: _Name,
    expression: _Expression = None,
    texture: _Texture = None,
    landmarks: _Landmarks = None,
    identity_count: _Identities = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show what is in a model: sizes, units, expressions, landmarks, licence."""
    from morphface.pipelines.models import describe_model

    options = _files(expression, texture, landmarks) | {"identity": identity_count}
    table(describe_model(model, **options).items())


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
    identity_count: _Identities = None,
    half: Annotated[
        bool, typer.Option("--half", help="Half precision: half the size, micrometres off.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a model in morphface's own format: one file, quick and safe to load."""
    from morphface.pipelines.models import convert_model

    options = _files(expression, texture, landmarks) | {"identity": identity_count}
    say(f"written to {convert_model(source, target, half=half, **options)}", quiet=quiet)


@app.command()
def embed(model: _Name, quiet: Quiet = False, debug: Debug = False) -> None:
    """Find where the landmarks lie on a model, and keep that beside it for later fits."""
    from morphface.pipelines.model_landmarks import embed_model

    place = embed_model(model, lambda words: say(words, quiet=quiet))
    say(f"written to {place}", quiet=quiet)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Name of a published model, as in `list`.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Accept the licence, and fetch it without asking.")
    ] = False,
    url: Annotated[
        str | None, typer.Option(help="Where you know its file to be.", metavar="URL")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="Of that file, as its publisher says.", metavar="HEX")
    ] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Fetch a model that needs no registration; of others, fail and say where to get them."""
    from morphface.pipelines.model_downloads import download_model, published_model

    model = published_model(name)
    say(f"{model.title}; licence: {model.licence}", quiet=quiet)
    given = _given(url, sha256)
    if not (model.downloads or given):
        download_model(name)  # says where it is to be had
    use = "commercial use allowed" if model.commercial else "no commercial use"
    if not (yes or sys.stdin.isatty()):
        raise ParameterError(f"pass --yes to accept the licence of {name} ({use})")
    if not yes and not typer.confirm(f"Fetch it under this licence ({use})?", err=True):
        return
    for place in download_model(name, given=given):
        say(f"written to {place}", quiet=quiet)


def _given(url: str | None, sha256: str | None) -> "Download | None":
    """What the user says about a file to fetch."""
    from morphface.models.known import Download

    if url is None and sha256 is None:
        return None
    if url is None or not url.startswith(("https://", "http://")):
        raise ParameterError("--url must be the http address of the model's file")
    if sha256 is None or not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise ParameterError("--sha256 must be the 64 hexadecimal digits of the file at --url")
    return Download(url, sha256.lower())


def _files(
    expression: Path | None, texture: Path | None, landmarks: list[Path] | None
) -> dict[str, Any]:
    found = tuple(landmarks or ())
    return {
        "expression": expression,
        "texture": texture,
        "landmarks": found[0] if len(found) == 1 else found or None,
    }
