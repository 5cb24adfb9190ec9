"""Tracks, heads and cameras in the files of other programs."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.exchange.arkit import ArkitCurves, arkit_curves, track_of_curves
    from morphface.exchange.arkit_json import read_arkit_json, write_arkit_json
    from morphface.exchange.cameras import camera_of, read_cameras
    from morphface.exchange.clip import Clip
    from morphface.exchange.flame import flame_parameters, write_flame_track
    from morphface.exchange.live_link import read_live_link, write_live_link
    from morphface.exchange.moving_gltf import animated_gltf, write_animated_gltf
    from morphface.exchange.sequences import write_maps, write_meshes
    from morphface.exchange.tables import write_landmark_table, write_parameter_table


__all__ = [
    "ArkitCurves",
    "Clip",
    "animated_gltf",
    "arkit_curves",
    "camera_of",
    "flame_parameters",
    "read_arkit_json",
    "read_cameras",
    "read_live_link",
    "track_of_curves",
    "write_animated_gltf",
    "write_arkit_json",
    "write_flame_track",
    "write_landmark_table",
    "write_live_link",
    "write_maps",
    "write_meshes",
    "write_parameter_table",
]

_HOMES = {
    "ArkitCurves": "arkit",
    "Clip": "clip",
    "animated_gltf": "moving_gltf",
    "arkit_curves": "arkit",
    "camera_of": "cameras",
    "flame_parameters": "flame",
    "read_arkit_json": "arkit_json",
    "read_cameras": "cameras",
    "read_live_link": "live_link",
    "track_of_curves": "arkit",
    "write_animated_gltf": "moving_gltf",
    "write_arkit_json": "arkit_json",
    "write_flame_track": "flame",
    "write_landmark_table": "tables",
    "write_live_link": "live_link",
    "write_maps": "sequences",
    "write_meshes": "sequences",
    "write_parameter_table": "tables",
}

__getattr__ = lazy_names(__name__, _HOMES)
