"""What every command prints with: words on standard error, tables on standard output."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["named", "progress_bar", "say", "status", "table"]


def named(text: str | None) -> tuple[str, ...]:
    """Names that were typed with commas between them; none for None.

    Args:
        text: as it was typed.
    """
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def say(message: str, *, quiet: bool = False, **options: Any) -> None:
    """A line for people, on standard error.

    Args:
        message: as it is, nothing in it is markup.
        quiet: whether to say nothing.
        options: of rich's `Console.print`, such as `style`.
    """
    if quiet:
        return
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
    console.print(message, **options)


def status(quiet: bool) -> AbstractContextManager[Any]:
    """A line on standard error that says what goes on, while that lasts; None if it is quiet.

    Args:
        quiet: whether to say nothing.
    """
    if quiet:
        return nullcontext()
    from rich.console import Console

    return Console(stderr=True).status("loading")


def progress_bar(told: str, *, quiet: bool) -> "Progress":
    """A bar on standard error, with what is left of the time; none where nobody would see it.

    Args:
        told: what stands behind the bar, as of rich's `TextColumn`.
        quiet: whether to show nothing.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    words, bar, left = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    columns = SpinnerColumn(), words, bar, TextColumn(told), left
    return Progress(*columns, console=console, transient=True, disable=hidden)


def table(rows: Iterable[tuple[str, ...]]) -> None:
    """Columns for a terminal; lines that a program can cut, with tabs, for anything else."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    columns = Table(box=None, pad_edge=False, show_header=False)
    for row in rows:
        columns.add_row(*row)
    Console(highlight=False, markup=False, emoji=False).print(columns)
