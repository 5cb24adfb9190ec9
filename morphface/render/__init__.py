"""From a mesh on the screen to pictures: visibility, interpolation, shading."""

from morphface.render.antialias import antialias
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments, rasterize
from morphface.render.shade import render_mesh, shade_plain, shade_sh

__all__ = [
    "Fragments",
    "antialias",
    "interpolate",
    "rasterize",
    "render_mesh",
    "shade_plain",
    "shade_sh",
]
