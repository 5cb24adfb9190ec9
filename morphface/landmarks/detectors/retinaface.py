"""RetinaFace through the package `retinaface-pytorch`: a box and five points for each face.

The package pins torch 1.9 although it runs on newer ones, so it is installed without its pins:
`pip install --no-deps retinaface-pytorch`, then `pip install albumentations torchvision`.
"""

import threading
import warnings
from typing import Any

import numpy as np
import torch

from morphface.core.errors import MissingDependencyError, MissingFileError
from morphface.landmarks.boxes import largest_first
from morphface.landmarks.points import Landmarks
from morphface.media.images import Photo

__all__ = ["RetinaFaceDetector"]

_WEIGHTS = "resnet50_2020-07-20"
_INSTALL = (
    "run: pip install --no-deps retinaface-pytorch && pip install albumentations torchvision "
    "(--no-deps, because it pins an old torch that it does not need)"
)


class RetinaFaceDetector:
    """Finds faces of any size, with the centres of the eyes, nose tip and mouth corners.

    Its weights are downloaded on first use by the package itself.

    Args:
        max_size: longer side in pixels that pictures are resized to.
        threshold: score from which something is a face.
        device: where it runs.
    """

    def __init__(
        self, *, max_size: int = 2048, threshold: float = 0.7, device: str = "cpu"
    ) -> None:
        self._max_size = max_size
        self._threshold = threshold
        self._device = device
        self._lock = threading.Lock()
        self._network: Any = None

    def detect(self, photo: Photo) -> list[Landmarks]:
        """The five points of each face in `photo`, the largest face first.

        Args:
            photo: any picture.

        Raises:
            MissingDependencyError: the package, or one that it needs, is not installed.
            MissingFileError: its weights could not be downloaded.
        """
        with self._lock:
            if self._network is None:
                self._network = _load(self._max_size, self._device)
            found = self._network.predict_jsons(
                np.ascontiguousarray(photo.to_uint8().cpu().numpy()),
                confidence_threshold=self._threshold,
            )
        # Where there is no face, the package returns one without a box.
        return largest_first(_landmarks(face) for face in found if face["bbox"])


def _load(max_size: int, device: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses names that torchvision calls old
        try:
            from retinaface.pre_trained_models import get_model
        except Exception as error:  # a torchvision made for another torch raises RuntimeError
            reason = str(error).partition("\n")[0]
            raise MissingDependencyError(
                f"the RetinaFace detector needs retinaface-pytorch, which cannot be imported here "
                f"({reason}); {_INSTALL}"
            ) from error
        try:
            network = get_model(_WEIGHTS, max_size=max_size, device=device)
        except OSError as error:
            raise MissingFileError(
                "cannot download RetinaFace's weights; use the default detector, or put them into "
                f"{torch.hub.get_dir()}/checkpoints"
            ) from error
    network.eval()
    return network


def _landmarks(face: dict[str, Any]) -> Landmarks:
    left, top, right, bottom = (float(side) for side in face["bbox"])
    return Landmarks(
        # In the package's order, image left first: it is ours, the subject's right first. Its
        # pixels count from the centre of the first one.
        points=torch.tensor(face["landmarks"], dtype=torch.float32) + 0.5,
        scheme="5",
        confidence=torch.full((5,), float(np.clip(face["score"], 0.0, 1.0))),
        box=(left + 0.5, top + 0.5, right + 0.5, bottom + 0.5),
    )
