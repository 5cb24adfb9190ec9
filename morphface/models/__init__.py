"""Morphable models: what a face can look like, and nothing about cameras or pictures."""

from morphface.models.articulated import ArticulatedModel, Rig
from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.catalogue import MODELS, load_model
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import Eye, MorphableModel, gaze_rotation
from morphface.models.skeleton import Skeleton, skeleton_of
from morphface.models.skin import mesh_parts
from morphface.models.storage import save_model
from morphface.models.subdivide import subdivide_model

__all__ = [
    "MODELS",
    "ArticulatedModel",
    "ExpressionBasis",
    "Eye",
    "LandmarkEmbedding",
    "LinearBasis",
    "MorphableModel",
    "Rig",
    "Skeleton",
    "gaze_rotation",
    "load_model",
    "mesh_parts",
    "save_model",
    "skeleton_of",
    "subdivide_model",
]
