"""A fitted face drawn anew in its photo, with other parameters."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.rerender.draw import Rerenderer, rerender
    from morphface.rerender.implicit import ImplicitHead, implicit_head
    from morphface.rerender.shell import HairShell, hair_shell

__all__ = [
    "HairShell",
    "ImplicitHead",
    "Rerenderer",
    "hair_shell",
    "implicit_head",
    "rerender",
]

_HOMES = {
    "HairShell": "shell",
    "ImplicitHead": "implicit",
    "Rerenderer": "draw",
    "hair_shell": "shell",
    "implicit_head": "implicit",
    "rerender": "draw",
}

__getattr__ = lazy_names(__name__, _HOMES)
