"""Landmarks of faces in pictures, and where they lie on a model."""

from morphface.landmarks.embedding import measure_embedding
from morphface.landmarks.files import read_landmarks
from morphface.landmarks.find import choose, find_faces
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import SCHEMES, outer_eye_distance, scheme, to_scheme
from morphface.landmarks.search import search_faces
from morphface.landmarks.transfer import embed

__all__ = [
    "SCHEMES",
    "Landmarks",
    "choose",
    "embed",
    "find_faces",
    "measure_embedding",
    "outer_eye_distance",
    "read_landmarks",
    "scheme",
    "search_faces",
    "to_scheme",
]
