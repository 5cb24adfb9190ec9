"""The command line: parses, calls a pipeline, prints.

Results go to files, tables to standard output, everything else to standard error. Exit code 2
is for what the user can mend, 1 for our mistakes, 130 for an interruption.
"""

import atexit
import os
import signal
import sys
import threading
import warnings
from contextlib import suppress
from typing import Annotated, Any

import typer

from morphface.cli.compress import compress, decompress
from morphface.cli.doctor import doctor
from morphface.cli.evaluate import evaluate
from morphface.cli.exports import export, import_
from morphface.cli.fit import fit
from morphface.cli.models import app as models_app
from morphface.cli.output import say
from morphface.cli.prepare import inspect, prepare
from morphface.cli.reenact import animate, reenact
from morphface.cli.speak import speak
from morphface.cli.track import track
from morphface.cli.train import train
from morphface.cli.transfer import transfer
from morphface.cli.views import edit, view
from morphface.core.errors import ModelWarning, MorphfaceError, SlowWarning, StoppedError
from morphface.core.garbage import collect_seldom
from morphface.core.lean import import_alone

__all__ = ["leave", "main", "run"]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Fit, edit, transfer and render 3D morphable faces, on a CPU, from a photo.",
)

app.add_typer(models_app, name="models")
_MAKERS = (train, reenact, animate, speak)
_OTHERS = (transfer, export, evaluate, compress, decompress, doctor)
for command in (fit, track, view, edit, prepare, inspect, *_MAKERS, *_OTHERS):
    app.command()(command)
app.command("import")(import_)

_INTERRUPTED = 130
_ALONE = {"fit", "edit", "view", "track", "transfer", "export", "doctor"}
"""Commands that train nothing, and so need no compiler of torch."""
_stopped = threading.Event()


def main() -> None:
    """Run the command line on the arguments of this process and leave with its exit code."""
    collect_seldom()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # else torch's idle threads keep a core
    if _ALONE.intersection(sys.argv[1:2]):
        import_alone()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is to be ignored
        signal.signal(signal.SIGINT, _interrupt)
    _tell_warnings("--quiet" in sys.argv)
    leave(run(sys.argv[1:]))


def leave(code: int) -> None:
    """End this process as Python does, but for taking its modules apart, object by object.

    That takes torch, numba and MediaPipe long, and the system frees all of it anyway. Threads are
    waited for, and what is registered for the end is done.

    Args:
        code: of the exit.
    """
    waits, ends = getattr(threading, "_shutdown", None), getattr(atexit, "_run_exitfuncs", None)
    if waits is None or ends is None:  # Python has others by now
        sys.exit(code)
    waits()
    ends()
    with suppress(OSError, ValueError):  # nobody reads any more
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _interrupt(*_: object) -> None:
    """What Ctrl-C does; it is remembered, since an import that it hits may raise anything."""
    _stopped.set()
    raise KeyboardInterrupt


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
        return _refuse(str(error), _INTERRUPTED if isinstance(error, StoppedError) else 2, quiet)
    except Exception as error:
        if debug:
            raise
        if not _stopped.is_set():
            return _explain(error, quiet)
        result = _INTERRUPTED
    if result == _INTERRUPTED:  # typer may turn an interruption into this exit code itself
        return _refuse("interrupted; nothing was written", _INTERRUPTED, quiet)
    return result if isinstance(result, int) else 0


def _tell_warnings(quiet: bool) -> None:
    """Our own warnings are sentences for the user, not lines of a program's log."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, ModelWarning | SlowWarning):
            say(str(message), quiet=quiet, style="yellow")
        else:
            usual(message, category, *place, **more)

    warnings.showwarning = show


def _explain(error: Exception, quiet: bool) -> int:
    """One line for a wrong command line, and one for what should not have happened."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        message = str(error.format_message())
        context = getattr(error, "ctx", None)
        way = f"see {context.command_path if context else 'morphface'} --help"
        return _refuse(f"{message.rstrip('.')}; {way}", 2, quiet or not message)
    message = f"unexpected {type(error).__name__}: {error}; run with --debug for the traceback"
    return _refuse(message, 1, quiet)


def _refuse(message: str, code: int, quiet: bool) -> int:
    say(f"error: {' '.join(message.split())}", quiet=quiet, style="bold red")
    return code


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
