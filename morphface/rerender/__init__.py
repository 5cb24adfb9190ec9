"""A fitted face drawn anew in its photo, with other parameters."""

from morphface.rerender.draw import Rerenderer, rerender
from morphface.rerender.shell import HairShell, hair_shell

__all__ = ["HairShell", "Rerenderer", "hair_shell", "rerender"]
