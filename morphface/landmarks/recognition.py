"""Numbers that tell people apart: SFace of the OpenCV Zoo, where its file is on this machine.

Nothing is fetched. The file belongs into the folder of models, `MORPHFACE_MODELS`; what needs the
network can be given its path instead. Only the published file is taken.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import MissingFileError, ModelError
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import five_points
from morphface.media.images import Photo
from morphface.models.folder import models_folder

__all__ = ["NAME", "Recogniser", "find_recogniser", "load_recogniser"]

NAME = "face_recognition_sface_2021dec.onnx"
_SHA256 = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"


class Recogniser:
    """Describes faces; Zhong et al. 2021, as OpenCV runs it, in about 40 ms.

    Args:
        path: of the network's file.
    """

    def __init__(self, path: Path) -> None:
        import cv2

        self._network: Any = cv2.FaceRecognizerSF.create(str(path), "")

    def describe(self, photo: Photo, face: Landmarks) -> Float[Tensor, "128"] | None:
        """A unit vector; those of one person have large cosines. None without the points for it.

        Args:
            photo: that shows the face.
            face: its landmarks, of the schemes "478", "68" or "5".
        """
        found = five_points(face)
        five = None if found is None else found.double().numpy()
        if five is None or not np.isfinite(five).all():
            return None
        row = np.concatenate([np.zeros(4), five.ravel(), np.ones(1)]).astype(np.float32)
        picture = np.ascontiguousarray(photo.to_uint8().numpy()[..., ::-1])
        numbers = self._network.feature(self._network.alignCrop(picture, row))[0]
        return torch.nn.functional.normalize(torch.from_numpy(numbers.copy()), dim=0)


@cache
def find_recogniser() -> Recogniser | None:
    """The network, if its file and OpenCV are on this machine."""
    try:
        return load_recogniser()
    except (MissingFileError, ModelError, ImportError, AttributeError):
        return None


def load_recogniser(path: str | Path | None = None) -> Recogniser:
    """The network, or why not.

    Args:
        path: of its file; None takes that in the folder of models.

    Raises:
        MissingFileError: it is not there; the message says how to get it.
        ModelError: it is another file.
    """
    place = models_folder() / NAME if path is None else Path(path)
    if not place.is_file():
        raise MissingFileError(
            f"the network {NAME} is not at {place}; get it from OpenCV's model zoo "
            "(github.com/opencv/opencv_zoo, models/face_recognition_sface, Apache-2.0) and put it "
            "there, or give its path"
        )
    if hashlib.sha256(place.read_bytes()).hexdigest() != _SHA256:
        raise ModelError(f"{place} is not the published {NAME}; get an intact copy")
    return Recogniser(place)
