"""What every command prints with: words on standard error, tables on standard output."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import typer
from rich.console import Console

__all__ = ["named", "say", "status", "table"]


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
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False, emoji=False)
    console.print(message, **options)


def status(quiet: bool) -> AbstractContextManager[Any]:
    """A line on standard error that says what goes on, while that lasts; None if it is quiet.

    Args:
        quiet: whether to say nothing.
    """
    return nullcontext() if quiet else Console(stderr=True).status("loading")


def table(rows: Iterable[tuple[str, ...]]) -> None:
    """Columns for a terminal; lines that a program can cut, with tabs, for anything else."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.table import Table

    columns = Table(box=None, pad_edge=False, show_header=False)
    for row in rows:
        columns.add_row(*row)
    Console(highlight=False, markup=False, emoji=False).print(columns)
