"""The parameters of a face, in a photo or through a video, and their file formats."""

from morphface.parameters.coded import Moves, decoded_moves, encoded_moves
from morphface.parameters.face import FaceParameters
from morphface.parameters.io import load_parameters, save_parameters
from morphface.parameters.track import (
    LOST,
    PREDICTED,
    STATES,
    TRACKED,
    Reason,
    Track,
    load_track,
    save_track,
)

__all__ = [
    "LOST",
    "PREDICTED",
    "STATES",
    "TRACKED",
    "FaceParameters",
    "Moves",
    "Reason",
    "Track",
    "decoded_moves",
    "encoded_moves",
    "load_parameters",
    "load_track",
    "save_parameters",
    "save_track",
]
