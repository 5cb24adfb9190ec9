"""The command `morphface doctor`."""

from typing import Annotated

import typer

from morphface.cli.options import Debug, Quiet
from morphface.cli.output import say, status

__all__ = ["doctor"]

_Warm = Annotated[
    bool,
    typer.Option("--warm", help="Compile now what each machine compiles once, and keep it."),
]


def doctor(*, warm: _Warm = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Show what can be used on this machine, and how to get the rest."""
    if warm:
        return _warmed(quiet)
    from rich.console import Console
    from rich.table import Table

    from morphface.pipelines.doctor import examine

    console = Console(highlight=False, markup=False, emoji=False)
    table = Table("", "what", "name", "how", box=None, pad_edge=False)
    for finding in examine():
        mark = "ok" if finding.usable else "no"
        table.add_row(mark, finding.kind, finding.name, finding.note)
    if not console.is_terminal:
        console.width = 1000
    return console.print(table, soft_wrap=not console.is_terminal)


def _warmed(quiet: bool) -> None:
    with status(quiet) as shown:
        from morphface.pipelines.warm import warm

        done = warm(None if shown is None else shown.update)
    if not done.folders:
        return  # which was said in a warning
    places = ", ".join(sorted({str(folder) for folder in done.folders})[:1])
    say(f"compiled in {done.seconds:.0f} s and kept in {places} and beside it", quiet=quiet)
