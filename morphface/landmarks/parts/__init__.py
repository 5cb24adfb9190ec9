"""Faces found from their parts upward: maps, fields along limbs, and their assembly."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.landmarks.parts.assembly import Assembled, assemble
    from morphface.landmarks.parts.fields import affinity_fields, confidence_maps
    from morphface.landmarks.parts.files import load_parts, save_parts
    from morphface.landmarks.parts.find import PartsFace, find_parts
    from morphface.landmarks.parts.graph import GRAPHS, FaceGraph, face_graph
    from morphface.landmarks.parts.network import PartsConfig, PartsNetwork
    from morphface.landmarks.parts.openpose import openpose_json, write_openpose
    from morphface.landmarks.parts.settings import AssemblySettings

__all__ = [
    "GRAPHS",
    "Assembled",
    "AssemblySettings",
    "FaceGraph",
    "PartsConfig",
    "PartsFace",
    "PartsNetwork",
    "affinity_fields",
    "assemble",
    "confidence_maps",
    "face_graph",
    "find_parts",
    "load_parts",
    "openpose_json",
    "save_parts",
    "write_openpose",
]

_HOMES = {
    "GRAPHS": "graph",
    "Assembled": "assembly",
    "AssemblySettings": "settings",
    "FaceGraph": "graph",
    "PartsConfig": "network",
    "PartsFace": "find",
    "PartsNetwork": "network",
    "affinity_fields": "fields",
    "assemble": "assembly",
    "confidence_maps": "fields",
    "face_graph": "graph",
    "find_parts": "find",
    "load_parts": "files",
    "openpose_json": "openpose",
    "save_parts": "files",
    "write_openpose": "openpose",
}

__getattr__ = lazy_names(__name__, _HOMES)
