"""A fitted face drawn anew in its photo, with other parameters."""

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
