"""From a mesh on the screen to pictures: visibility, interpolation, shading."""

from morphface.render.antialias import antialias
from morphface.render.derivatives import screen_derivatives
from morphface.render.interpolate import interpolate
from morphface.render.rasterize import Fragments, rasterize
from morphface.render.renderer import Rendered, Renderer
from morphface.render.shade import shade_pixels, shade_plain, shade_sh
from morphface.render.texture import Texture, sample_texture

__all__ = [
    "Fragments",
    "Rendered",
    "Renderer",
    "Texture",
    "antialias",
    "interpolate",
    "rasterize",
    "sample_texture",
    "screen_derivatives",
    "shade_pixels",
    "shade_plain",
    "shade_sh",
]
