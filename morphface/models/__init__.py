"""Morphable models: what a face can look like, and nothing about cameras or pictures."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.models.articulated import ArticulatedModel, Rig
    from morphface.models.basis import ExpressionBasis, LinearBasis
    from morphface.models.catalogue import MODELS, how_to_get, load_model, model_path
    from morphface.models.conversion import (
        Converted,
        Correspondence,
        arkit_directions,
        arkit_weights,
        convert_parameters,
        find_correspondence,
        read_correspondence,
        save_correspondence,
    )
    from morphface.models.embedding import LandmarkEmbedding
    from morphface.models.fine import FineMesh, fine_mesh
    from morphface.models.morphable import Eye, MorphableModel, gaze_rotation
    from morphface.models.skeleton import Skeleton, skeleton_of
    from morphface.models.skin import mesh_parts
    from morphface.models.storage import save_model
    from morphface.models.subdivide import subdivide_model


__all__ = [
    "ArticulatedModel",
    "Converted",
    "Correspondence",
    "ExpressionBasis",
    "Eye",
    "FineMesh",
    "LandmarkEmbedding",
    "LinearBasis",
    "MODELS",
    "MorphableModel",
    "Rig",
    "Skeleton",
    "arkit_directions",
    "arkit_weights",
    "convert_parameters",
    "find_correspondence",
    "fine_mesh",
    "gaze_rotation",
    "how_to_get",
    "load_model",
    "mesh_parts",
    "model_path",
    "read_correspondence",
    "save_correspondence",
    "save_model",
    "skeleton_of",
    "subdivide_model",
]


_HOMES = {
    "ArticulatedModel": "articulated",
    "Converted": "conversion",
    "Correspondence": "conversion",
    "ExpressionBasis": "basis",
    "Eye": "morphable",
    "FineMesh": "fine",
    "LandmarkEmbedding": "embedding",
    "LinearBasis": "basis",
    "MODELS": "catalogue",
    "MorphableModel": "morphable",
    "Rig": "articulated",
    "Skeleton": "skeleton",
    "arkit_directions": "conversion",
    "arkit_weights": "conversion",
    "convert_parameters": "conversion",
    "find_correspondence": "conversion",
    "fine_mesh": "fine",
    "gaze_rotation": "morphable",
    "how_to_get": "catalogue",
    "load_model": "catalogue",
    "mesh_parts": "skin",
    "model_path": "catalogue",
    "read_correspondence": "conversion",
    "save_correspondence": "conversion",
    "save_model": "storage",
    "skeleton_of": "skeleton",
    "subdivide_model": "subdivide",
}

__getattr__ = lazy_names(__name__, _HOMES)
