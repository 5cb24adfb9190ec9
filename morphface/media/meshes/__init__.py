"""Meshes out: OBJ, PLY, and glTF with morph targets."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.media.meshes.gltf import encode_gltf, write_gltf
    from morphface.media.meshes.obj import write_obj
    from morphface.media.meshes.ply import write_ply
    from morphface.media.meshes.surface import Surface, split_seams


__all__ = ["Surface", "encode_gltf", "split_seams", "write_gltf", "write_obj", "write_ply"]

_HOMES = {
    "Surface": "surface",
    "encode_gltf": "gltf",
    "split_seams": "surface",
    "write_gltf": "gltf",
    "write_obj": "obj",
    "write_ply": "ply",
}

__getattr__ = lazy_names(__name__, _HOMES)
