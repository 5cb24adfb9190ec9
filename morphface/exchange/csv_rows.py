"""The rows of somebody's CSV, within bounds."""

import csv
from collections.abc import Iterator
from pathlib import Path

from morphface.core.errors import MissingFileError, ParameterError

__all__ = ["read_rows"]

_LARGEST = 1 << 28  # bytes of a file, more than a day's recording
_MOST_ROWS = 1 << 20


def read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the rows, all as long; empty lines are passed over.

    Args:
        path: of a table with commas, semicolons or tabs between its columns.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is no table of text, too long, empty, or a row has other columns.
    """
    if not path.is_file():
        raise MissingFileError(f"there is no recording {path}")
    if path.stat().st_size > _LARGEST:
        raise ParameterError(f"{path} has more than {_LARGEST >> 20} MB: no recording is that long")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            divider = _divider(file.readline())
            file.seek(0)
            rows = _filled_rows(csv.reader(file, delimiter=divider))
            header = next(rows, [])
            kept = list(rows)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ParameterError(f"{path} is not a table of text: {error}") from None
    if not kept:
        raise ParameterError(f"{path} has no frames")
    if len(kept) > _MOST_ROWS:
        raise ParameterError(f"{path} has more than {_MOST_ROWS} frames")
    for number, row in enumerate(kept, start=2):
        if len(row) != len(header):
            raise ParameterError(
                f"{path} is damaged: row {number} has {len(row)} columns, and the first has "
                f"{len(header)}"
            )
    return header, kept


def _divider(first: str) -> str:
    """What is between columns: a comma, or in some countries a semicolon, or a tab."""
    return max((",", ";", "\t"), key=first.count)


def _filled_rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    return (row for row in rows if any(cell.strip() for cell in row))
