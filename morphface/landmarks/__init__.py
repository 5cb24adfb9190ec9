"""Landmarks of faces in pictures, and where they lie on a model."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.landmarks.detectors import LandmarkDetector
    from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
    from morphface.landmarks.detectors.retinaface import RetinaFaceDetector
    from morphface.landmarks.detectors.yunet import YuNetDetector
    from morphface.landmarks.embedding import measure_embedding
    from morphface.landmarks.files import read_landmarks
    from morphface.landmarks.find import choose, find_faces
    from morphface.landmarks.five import embed_five
    from morphface.landmarks.points import Landmarks
    from morphface.landmarks.schemes import SCHEMES, outer_eye_distance, scheme, to_scheme
    from morphface.landmarks.search import search_faces
    from morphface.landmarks.transfer import embed


__all__ = [
    "LandmarkDetector",
    "Landmarks",
    "MediaPipeDetector",
    "RetinaFaceDetector",
    "SCHEMES",
    "YuNetDetector",
    "choose",
    "embed",
    "embed_five",
    "find_faces",
    "measure_embedding",
    "outer_eye_distance",
    "read_landmarks",
    "scheme",
    "search_faces",
    "to_scheme",
]


_HOMES = {
    "LandmarkDetector": "detectors",
    "Landmarks": "points",
    "MediaPipeDetector": "detectors.mediapipe",
    "RetinaFaceDetector": "detectors.retinaface",
    "YuNetDetector": "detectors.yunet",
    "SCHEMES": "schemes",
    "choose": "find",
    "embed": "transfer",
    "embed_five": "five",
    "find_faces": "find",
    "measure_embedding": "embedding",
    "outer_eye_distance": "schemes",
    "read_landmarks": "files",
    "scheme": "schemes",
    "search_faces": "search",
    "to_scheme": "schemes",
}

__getattr__ = lazy_names(__name__, _HOMES)
