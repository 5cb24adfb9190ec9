"""A fitted face drawn anew in its photo, with other parameters."""

from morphface.rerender.draw import Rerenderer, rerender

__all__ = ["Rerenderer", "rerender"]
