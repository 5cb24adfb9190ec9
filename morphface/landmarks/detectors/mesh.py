"""MediaPipe's landmark network by itself, for faces that its own detector does not see.

The detector of MediaPipe misses faces below some 35 pixels, and those that are turned far. Where
another one says that there is a face, the network that puts the 478 points can be asked directly:
its input is a square about one and a half times as large as the face, and it says itself whether
there is one. OpenCV runs it, from the same file.
"""

import math
import zipfile
from dataclasses import dataclass
from functools import cache
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from morphface.core.errors import MissingFileError, ModelError
from morphface.landmarks.boxes import Box, box_of
from morphface.landmarks.detectors.lean import straightened
from morphface.landmarks.detectors.model_file import find_model
from morphface.landmarks.detectors.quiet import quiet
from morphface.landmarks.points import Landmarks
from morphface.media.images import Photo

__all__ = ["Reading", "read_mesh"]

_MEMBER = "face_landmarks_detector.tflite"
_OUTPUTS = ("Identity", "Identity_1", "Identity_2")  # points, presence, tongue
_SIDE = 256
_AROUND = 1.5  # sides of the network's square, in those of the box of the points
_TURN = Lock()


@dataclass(frozen=True)
class Reading:
    """What the network says of a square.

    Args:
        face: the landmarks; their confidence is `presence`.
        presence: probability that the square shows a face, 0 to 1.
    """

    face: Landmarks
    presence: float


def read_mesh(photo: Photo, box: Box, tilt: float = 0.0, around: float = _AROUND) -> Reading | None:
    """The 478 points of a face that is known to be there; None where the network is not.

    Args:
        photo: the picture.
        box: of the face, from the chin to the middle of the forehead.
        tilt: of the line through the eyes, clockwise, in radians.
        around: side of the square that the network is shown, in longer sides of the box.
    """
    import cv2

    left, top, right, bottom = box
    side = around * max(right - left, bottom - top)
    network = _network()
    if not side > 1 or network is None:
        return None
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    c, s = math.cos(tilt) * _SIDE / side, math.sin(tilt) * _SIDE / side
    there = np.array([[c, s], [-s, c]])  # turns the face upright
    shift = _SIDE / 2 - there @ (centre - 0.5) - 0.5  # OpenCV counts from pixels' centres
    pixels = photo.to_uint8().cpu().numpy()
    flags = cv2.INTER_LINEAR
    shown = cv2.warpAffine(
        pixels, np.c_[there, shift], (_SIDE, _SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    points, presence = _run(network, shown)
    back = np.linalg.inv(there)
    screen = torch.from_numpy((points[:, :2] - _SIDE / 2) @ back.T + centre).float()
    depth = torch.from_numpy(points[:, 2] * side / _SIDE).float()
    depth = straightened(depth, screen)
    face = Landmarks(screen, "478", torch.full((478,), presence), box_of(screen), depth)
    return Reading(face, presence)


def _run(
    network: Any, shown: UInt8[np.ndarray, "S S 3"]
) -> tuple[Float[np.ndarray, "478 3"], float]:
    blob = np.ascontiguousarray(shown.astype(np.float32).transpose(2, 0, 1)[None] / 255)
    with _TURN:
        network.setInput(blob)
        points, presence, _ = (np.array(found).ravel() for found in network.forward(_OUTPUTS))
    logit = min(max(float(presence[0]), -30.0), 30.0)
    return points.reshape(-1, 3).astype(np.float64), 1 / (1 + math.exp(-logit))


@cache
def _network() -> Any:
    """The network; None where the detector's file was not fetched, or another is in its place."""
    import cv2

    try:
        path = find_model()
    except (MissingFileError, ModelError):
        path = None
    if path is None:
        return None
    # The engine that OpenCV 5 takes by itself gives one output only, and of a network that it is
    # given in memory no other can be chosen.
    classic = (cv2.dnn.ENGINE_CLASSIC,) if hasattr(cv2.dnn, "ENGINE_CLASSIC") else ()
    with TemporaryDirectory() as folder, zipfile.ZipFile(path) as bundle, quiet():
        return cv2.dnn.readNetFromTFLite(bundle.extract(_MEMBER, folder), *classic)
