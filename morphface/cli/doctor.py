"""The command `morphface doctor`."""

from rich.console import Console

__all__ = ["doctor"]


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
