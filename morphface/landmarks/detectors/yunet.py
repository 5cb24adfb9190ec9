"""YuNet of the OpenCV Zoo: boxes and five points of small and turned faces, in little time.

Its file ships with morphface (`assets/faces/fetch.py`). Wu, Peng and Yu, "YuNet: a tiny
millisecond-level face detector", Machine Intelligence Research 20, 2023.
"""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from morphface.landmarks.boxes import distinct, largest_first
from morphface.landmarks.detectors.quiet import quiet
from morphface.landmarks.points import Landmarks
from morphface.media.images import Photo

__all__ = ["YuNetDetector", "levels"]

_FILE = Path(__file__).parents[1] / "data" / "face_detection_yunet_2023mar.onnx"
_WHOLE = 1.5e6  # pixels up to which a picture is looked at as it is: 0.3 s
_MOST = 6e6  # pixels that are looked at of any picture: 2 s; smaller faces than 40 pixels are
# missed from twice as many on
_HALF = 0.5  # how far pictures between the two are shrunk: a face of 40 pixels still has 20
_NEXT = 0.25  # of a level's side, the next one: the network sees faces of 10 to 300 pixels
_LEAST = 160  # longer side below which there is no further level
_ALIKE = 0.3  # overlap from which two boxes of one look are of one face
_TURN = Lock()


class YuNetDetector:
    """Finds faces from 20 pixels on, seen from any side, if they are upright.

    The centres of the eyes, the tip of the nose and the corners of the mouth are good to a
    twentieth of a face, but in full profile only to a tenth. The confidence of each point is the
    network's for the face.

    Args:
        threshold: confidence from which something is a face.
        most: pixels that it looks at in a picture at most; a larger one is shrunk.
    """

    def __init__(self, *, threshold: float = 0.4, most: float = _MOST) -> None:
        self._threshold = threshold
        self._most = most

    def detect(self, photo: Photo) -> list[Landmarks]:
        """The five points of each face in `photo`, the largest face first.

        Args:
            photo: any picture.
        """
        pixels = photo.to_uint8().cpu().numpy()
        found: list[Landmarks] = []
        for scale in levels(*photo.size, most=self._most):
            pixels, used = _shrunk(pixels, scale, photo.size)
            rows = _run(np.ascontiguousarray(pixels[..., ::-1]), self._threshold)
            found += [_landmarks(row, used) for row in rows]
        surest = sorted(found, key=lambda face: -float(face.confidence[0]))
        return largest_first(distinct(surest))


def levels(height: int, width: int, *, most: float = _MOST) -> list[float]:
    """How far a picture is shrunk for each look at it, the largest first.

    Args:
        height: of the picture.
        width: of the picture.
        most: pixels that are looked at.
    """
    area = height * width
    scale = min(1.0, max((_WHOLE / area) ** 0.5, _HALF), (most / area) ** 0.5)
    out = [scale]
    while out[-1] * _NEXT * max(height, width) >= _LEAST:
        out.append(out[-1] * _NEXT)
    return out


def _shrunk(
    pixels: UInt8[np.ndarray, "h w 3"], scale: float, whole: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "H W 3"], Float[np.ndarray, "2"]]:
    """Pixels of a level from those of the level before, and by how much x and y were shrunk."""
    import cv2

    height, width = (max(round(side * scale), 1) for side in whole)
    if (height, width) != pixels.shape[:2]:
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return pixels, np.array([width / whole[1], height / whole[0]])


def _run(bgr: UInt8[np.ndarray, "H W 3"], threshold: float) -> Float[np.ndarray, "N 15"]:
    """Left, top, width, height, five points, and confidence of each face."""
    with _TURN:
        network = _network()
        network.setInputSize((bgr.shape[1], bgr.shape[0]))
        network.setScoreThreshold(threshold)
        found = network.detect(bgr)[1]
    return np.zeros((0, 15)) if found is None else found.astype(np.float64)


@cache
def _network() -> Any:
    import cv2

    with quiet():
        return cv2.FaceDetectorYN.create(str(_FILE), "", (320, 320), 0.5, _ALIKE, 1000)


def _landmarks(row: Float[np.ndarray, "15"], scale: Float[np.ndarray, "2"]) -> Landmarks:
    corner, size = row[:2] / scale, row[2:4] / scale
    # In its order, image left first: it is ours, the subject's right first.
    return Landmarks(
        points=torch.from_numpy(row[4:14].reshape(5, 2) / scale).float(),
        scheme="5",
        confidence=torch.full((5,), float(np.clip(row[14], 0.0, 1.0))),
        box=(*corner.tolist(), *(corner + size).tolist()),
    )
