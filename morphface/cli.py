"""The command line: parses, calls a pipeline, prints.

Results go to files, tables to standard output, everything else to standard error. Exit code 2
is for what the user can mend, 1 for our mistakes, 130 for an interruption.
"""

import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from morphface.cli_models import app as models_app
from morphface.core.errors import MorphfaceError

__all__ = ["main"]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fit, edit, transfer and render 3D morphable faces, on a CPU, from a photo.",
)

app.add_typer(models_app, name="models")

_INTERRUPTED = 130


def main() -> None:
    """Run the command line on the arguments of this process and leave with its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line on `arguments`; the exit code.

    Args:
        arguments: as typed, without the name of the program.
    """
    command = typer.main.get_command(app)
    quiet, debug = "--quiet" in arguments, "--debug" in arguments
    try:
        result = command.main(arguments, prog_name="morphface", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        result = _INTERRUPTED
    except MorphfaceError as error:
        if debug:
            raise
        return _refuse(str(error), 2, quiet)
    except Exception as error:
        if debug:
            raise
        return _explain(error, quiet)
    if result == _INTERRUPTED:  # typer may turn an interruption into this exit code itself
        return _refuse("interrupted; nothing was written", _INTERRUPTED, quiet)
    return result if isinstance(result, int) else 0


def _explain(error: Exception, quiet: bool) -> int:
    """One line for a wrong command line, and one for what should not have happened."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        message = str(error.format_message())
        return _refuse(f"{message} See morphface --help", 2, quiet or not message)
    message = f"unexpected {type(error).__name__}: {error}; run with --debug for the traceback"
    return _refuse(message, 1, quiet)


def _refuse(message: str, code: int, quiet: bool) -> int:
    if not quiet:
        _say(f"error: {' '.join(message.split())}", style="bold red")
    return code


def _say(message: str, **options: Any) -> None:
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
    console.print(message, **options)


def _show_version(wanted: bool | None) -> None:
    if wanted:
        from morphface.core.version import __version__

        typer.echo(f"morphface {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool | None,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = None,
) -> None:
    """Fit, edit, transfer and render 3D morphable faces, on a CPU, from a photo."""


@app.command()
def fit(
    image: Annotated[str, typer.Argument(help="A picture, or sample:astronaut.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the results; by default NAME-face, here.", metavar="DIR"),
    ] = None,
    model: Annotated[
        str, typer.Option(help="Name or path of a morphable model.", metavar="NAME_OR_PATH")
    ] = "open-head",
    faces: Annotated[
        str, typer.Option(help="Which faces, the largest is 0.", metavar="largest|all|INDEX")
    ] = "largest",
    landmarks: Annotated[
        str | None,
        typer.Option(help="Read landmarks from FILE instead of detecting them.", metavar="FILE"),
    ] = None,
    focal: Annotated[
        float | None, typer.Option(help="Focal length in pixels, if you know it.", metavar="PX")
    ] = None,
    stage: Annotated[
        str,
        typer.Option(
            help="linear stops after the landmarks, pixels goes on.", metavar="linear|pixels"
        ),
    ] = "pixels",
    device: Annotated[str, typer.Option(help="Where to compute: cpu or cuda.")] = "cpu",
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Say nothing, errors included: the exit code tells.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Fit a face in a photo: parameters, report, overlay and a rigged head."""
    console = Console(stderr=True)
    status = nullcontext() if quiet else console.status("loading")
    with status as shown:
        from morphface.pipelines import reconstruct

        folder = out or Path(f"{Path(image.removeprefix('sample:')).stem}-face")
        report = reconstruct(
            image,
            folder,
            model=model,
            faces=faces,
            landmarks=landmarks,
            focal=focal,
            stage=stage,
            device=device,
            progress=None if shown is None else shown.update,
        )
    if not quiet:
        _summarise(report, folder)


def _summarise(report: dict[str, Any], folder: Path) -> None:
    for index, face in enumerate(report["faces"]):
        pose = ", ".join(f"{name} {value:+.1f}" for name, value in face["pose_degrees"].items())
        error = face["landmark_nme"]
        known = "unknown" if error is None else f"{100 * error:.1f} % of the eye distance"
        _say(f"face {index}: landmark error {known}; {pose} degrees")
        if not face["converged"]:
            _say(f"face {index} may not be trusted: {face['reason']}", style="yellow")
    _say(f"written to {folder}/")


@app.command()
def doctor() -> None:
    """Show what can be used on this machine, and how to get the rest."""
    from rich.table import Table

    from morphface.pipelines.doctor import examine

    console = Console(highlight=False, markup=False, emoji=False)
    table = Table("", "what", "name", "how", box=None, pad_edge=False)
    for finding in examine():
        mark = "ok" if finding.usable else "no"
        table.add_row(mark, finding.kind, finding.name, finding.note)
    if not console.is_terminal:
        console.width = 1000
    console.print(table, soft_wrap=not console.is_terminal)


if __name__ == "__main__":
    main()
