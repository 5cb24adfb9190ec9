"""The parameters of a face, and their file format."""

from morphface.parameters.face import FaceParameters

__all__ = ["FaceParameters"]
