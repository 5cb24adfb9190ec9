"""From a mesh on the screen to pictures: visibility, interpolation, shading."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names
from morphface.render.antialias import antialias
from morphface.render.derivatives import screen_derivatives
from morphface.render.fine_colours import FineColours
from morphface.render.interpolate import interpolate
from morphface.render.paint import paint
from morphface.render.rasterize import Fragments, rasterize
from morphface.render.renderer import Rendered, Renderer
from morphface.render.shade import shade_pixels, shade_plain, shade_sh
from morphface.render.texture import Texture, sample_texture

if TYPE_CHECKING:
    from morphface.render.aligned import AlignedHead, head_crop
    from morphface.render.conditions import Conditions, Sitter
    from morphface.render.detail import Detail
    from morphface.render.distance import Nearest, SignedDistance
    from morphface.render.flow import Flow, flow_between, flow_of_parameters, warp_by_flow
    from morphface.render.maps import GAZE_STYLES, MAP_NAMES, GazeStyle, MapSet, render_maps
    from morphface.render.prior import FlowPrior, flow_prior

__all__ = [
    "AlignedHead",
    "Conditions",
    "Detail",
    "FineColours",
    "Flow",
    "FlowPrior",
    "Fragments",
    "GAZE_STYLES",
    "GazeStyle",
    "MAP_NAMES",
    "MapSet",
    "Nearest",
    "Rendered",
    "Renderer",
    "SignedDistance",
    "Sitter",
    "Texture",
    "antialias",
    "flow_between",
    "flow_of_parameters",
    "flow_prior",
    "head_crop",
    "interpolate",
    "paint",
    "rasterize",
    "render_maps",
    "sample_texture",
    "screen_derivatives",
    "shade_pixels",
    "shade_plain",
    "shade_sh",
    "warp_by_flow",
]

_HOMES = {
    "AlignedHead": "aligned",
    "Conditions": "conditions",
    "Detail": "detail",
    "Flow": "flow",
    "FlowPrior": "prior",
    "GAZE_STYLES": "maps",
    "GazeStyle": "maps",
    "MAP_NAMES": "maps",
    "MapSet": "maps",
    "Nearest": "distance",
    "SignedDistance": "distance",
    "Sitter": "conditions",
    "flow_between": "flow",
    "flow_of_parameters": "flow",
    "flow_prior": "prior",
    "head_crop": "aligned",
    "render_maps": "maps",
    "warp_by_flow": "flow",
}

__getattr__ = lazy_names(__name__, _HOMES)
