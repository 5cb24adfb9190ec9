"""How far points are from a mesh, and on which side of it."""

from morphface.render.distance.signed import Nearest, SignedDistance

__all__ = ["Nearest", "SignedDistance"]
