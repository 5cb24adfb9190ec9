"""Morphable models: what a face can look like, and nothing about cameras or pictures."""

from morphface.models.basis import ExpressionBasis, LinearBasis
from morphface.models.embedding import LandmarkEmbedding
from morphface.models.morphable import Eye, MorphableModel, gaze_rotation

__all__ = [
    "ExpressionBasis",
    "Eye",
    "LandmarkEmbedding",
    "LinearBasis",
    "MorphableModel",
    "gaze_rotation",
]
