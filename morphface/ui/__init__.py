"""Editing by hand: a widget for notebooks, the same in a browser.

The names below are imported when they are first used: a widget needs the extra `notebook`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from morphface.ui.editor import FaceEditor
    from morphface.ui.viewer import HeadViewer

__all__ = ["FaceEditor", "HeadViewer"]

_HOMES = {"FaceEditor": "editor", "HeadViewer": "viewer"}


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'morphface.ui' has no attribute {name!r}")
    return getattr(import_module(f"morphface.ui.{_HOMES[name]}"), name)
