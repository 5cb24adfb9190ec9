"""Values that show themselves in notebooks.

A value only knows that it can be shown. What draws it stands far above it, so that its painter
is known by name and imported when the first value is shown.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from weakref import ref

__all__ = ["Displayed", "Painting", "painting_of", "use_painter"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Painting:
    """A value as notebooks show it.

    Args:
        html: picture and table.
        png: the picture alone; None where there is none.
    """

    html: str
    png: bytes | None = None


Painter = Callable[[object], Painting | None]
"""Draws a value; None for one that it does not know."""

_painter = ""
_kept: tuple[ref[object], Painting | None] | None = None


def use_painter(name: str) -> None:
    """Let a function draw all values.

    Args:
        name: "module:function", which is imported when it is first needed; "" for none.
    """
    global _painter
    _painter = name


def painting_of(value: object) -> Painting | None:
    """A value as its painter draws it; None where nothing can.

    A picture is a courtesy: whatever goes wrong, the plain text of the value must stay.
    """
    module, _, function = _painter.partition(":")
    if not module:
        return None
    try:
        painter: Painter = getattr(import_module(module), function)
        return painter(value)
    except Exception:
        _log.debug("a %s cannot be drawn", type(value).__name__, exc_info=True)
        return None


class Displayed:
    """Base of values that show themselves in Jupyter: a picture, then a table.

    Where nothing can draw them, notebooks show their plain text.
    """

    def _repr_html_(self) -> str | None:
        global _kept
        painting = painting_of(self)
        _kept = (ref(self), painting)  # a notebook asks for the PNG right after
        return None if painting is None else painting.html

    def _repr_png_(self) -> bytes | None:
        global _kept
        known = _kept is not None and _kept[0]() is self
        painting = _kept[1] if _kept and known else painting_of(self)
        _kept = None  # what is asked for again is drawn again: tensors may be changed in place
        return None if painting is None else painting.png
