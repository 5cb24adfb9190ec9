"""A value as a notebook shows it: a picture, and a table of a few rows, as HTML.

Nothing but inline styles, so that it survives where notebooks are cleaned (untrusted ones, code
hosts). Text has the colour of its surroundings and pictures have a ground of their own, so that
both are legible in light and in dark themes; on narrow screens the table goes below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from morphface.core.display import Painting
from morphface.show.pictures import Picture, data_uri, png

__all__ = ["Card", "painted"]

LONGEST_WORDS = 400
"""Characters of a table's cell that are shown."""
_FRAME = (
    "display:flex;flex-wrap:wrap;gap:8px 16px;align-items:flex-start;max-width:100%;color:inherit"
)
_IMAGE = "display:block;max-width:100%;height:auto;margin:0;border-radius:4px"
_TABLE = (
    "border-collapse:collapse;margin:0;font-size:13px;line-height:1.35;color:inherit;"
    "background:transparent;max-width:100%;table-layout:auto"
)
_CELL = "padding:2px 14px 2px 0;text-align:left;vertical-align:top;color:inherit;border:0"
_HEAD = f"{_CELL};font-weight:600;white-space:nowrap"
_WORDS = f"{_CELL};overflow-wrap:anywhere;white-space:normal"


@dataclass(frozen=True)
class Card:
    """What is shown of a value.

    Args:
        title: what it is.
        rows: pairs of a heading and words.
        picture: draws it; None where there is nothing to draw. May fail, or return None.
        says: what the picture shows, for those who cannot see it.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    picture: Callable[[], Picture | None] | None = None
    says: str = "picture of the value"


def painted(card: Card) -> Painting:
    """A card as HTML, and its picture alone; one that cannot be drawn is a row of the table."""
    picture, rows = None, card.rows
    try:
        picture = card.picture and card.picture()
    except Exception as error:  # the table is there all the same
        rows = (*rows, ("picture", f"cannot be drawn: {error or type(error).__name__}"))
    image = "" if picture is None else _image(picture, card.says)
    html = f'<div style="{_FRAME}">{image}{_table(card.title, rows)}</div>'
    return Painting(html, None if picture is None else png(picture))


def _image(picture: Picture, says: str) -> str:
    return (
        f'<img src="{data_uri(picture)}" width="{picture.width}" height="{picture.height}" '
        f'alt="{escape(says)}" style="{_IMAGE}">'
    )


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> str:
    top = f'<tr><th colspan="2" style="{_HEAD};font-size:14px">{escape(title)}</th></tr>'
    body = "".join(
        f'<tr><th scope="row" style="{_HEAD}">{_short(name)}</th>'
        f'<td style="{_WORDS}">{_short(words)}</td></tr>'
        for name, words in rows
    )
    return (
        f'<div style="flex:1 1 240px;min-width:0"><table style="{_TABLE}">{top}{body}</table></div>'
    )


def _short(words: str) -> str:
    cut = words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 3] + "..."
    return escape(cut)
