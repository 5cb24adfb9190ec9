"""Landmarks of faces in pictures, and where they lie on a model."""

from morphface.landmarks.points import Landmarks

__all__ = ["Landmarks"]
