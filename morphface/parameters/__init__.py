"""The parameters of a face, and their file format."""

from morphface.parameters.face import FaceParameters
from morphface.parameters.io import load_parameters, save_parameters

__all__ = ["FaceParameters", "load_parameters", "save_parameters"]
