"""Editing by hand: a widget for notebooks, the same in a browser.

The names below are imported when they are first used: a widget needs the extra `notebook`.
"""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.ui.editor import FaceEditor
    from morphface.ui.viewer import HeadViewer

__all__ = ["FaceEditor", "HeadViewer"]

_HOMES = {"FaceEditor": "editor", "HeadViewer": "viewer"}


__getattr__ = lazy_names(__name__, _HOMES)
