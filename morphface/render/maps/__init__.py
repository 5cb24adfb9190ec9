"""Conditioning maps: what generators are told about a face, frame by frame."""

from morphface.render.maps.code import correspondence_code, decode_face_index
from morphface.render.maps.gaze import GAZE_STYLES, GazeStyle
from morphface.render.maps.mapset import MapSet
from morphface.render.maps.names import CHANNELS, DVP, MAP_NAMES
from morphface.render.maps.parsing import LABELS
from morphface.render.maps.render import render_maps

__all__ = [
    "CHANNELS",
    "DVP",
    "GAZE_STYLES",
    "LABELS",
    "MAP_NAMES",
    "GazeStyle",
    "MapSet",
    "correspondence_code",
    "decode_face_index",
    "render_maps",
]
