"""MediaPipe's face landmarker: 478 points with irises, relative depth, and ARKit scores.

Of the 52 ARKit names it scores 51; `tongueOut` is missing.
"""

import os
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from morphface.core.errors import MissingDependencyError
from morphface.landmarks.boxes import box_of, largest_first
from morphface.landmarks.detectors.lean import straightened
from morphface.landmarks.detectors.model_file import require_model
from morphface.landmarks.detectors.quiet import quiet
from morphface.landmarks.points import Landmarks
from morphface.media.images import Photo

__all__ = ["MediaPipeDetector"]

_MOST_FACES = 64
_FRAME = 40  # milliseconds


class MediaPipeDetector:
    """The default detector. It may be used from several threads; calls take turns.

    Made on first use and kept, since starting it costs more than a detection. It sees faces
    that are at least about a sixth of the picture; `find_faces` searches for smaller ones.

    Args:
        model: the path of `face_landmarker.task`; None looks for it, see `model_file`.
        follow: whether the pictures are frames of one video. Then one face is followed from frame
            to frame, which is quicker and steadier than finding it anew in each.
    """

    def __init__(self, model: str | Path | None = None, *, follow: bool = False) -> None:
        self._model = model
        self._follow = follow
        self._stamp = 0
        self._lock = threading.Lock()
        self._landmarker: Any = None
        self._close: weakref.finalize[Any, Any] | None = None

    def detect(self, photo: Photo, *, time: float | None = None) -> list[Landmarks]:
        """The landmarks of each face in `photo`, the largest face first.

        Args:
            photo: any picture; very small faces are missed.
            time: of a frame in its video, in seconds; only who follows a face asks for it. None
                is a 25th of a second after the last.

        Raises:
            MissingDependencyError: mediapipe is not installed.
            MissingFileError: its model file is nowhere, and the download failed.
            ModelError: the model file is not the known one.
        """
        with self._lock:
            if self._landmarker is None:
                self._start()
            result = self._run(photo.to_uint8(), time)
        height, width = photo.size
        scores = result.face_blendshapes or [[]] * len(result.face_landmarks)
        faces = [
            _landmarks(points, named, width, height)
            for points, named in zip(result.face_landmarks, scores, strict=True)
        ]
        return largest_first(faces)

    def close(self) -> None:
        """Give back what the detector holds. It starts again when used again."""
        with self._lock:
            if self._close is not None:
                self._close()
            self._landmarker = self._close = None

    def __enter__(self) -> "MediaPipeDetector":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        path = require_model(self._model)
        with quiet():
            try:
                self._landmarker = _create(path, follow=self._follow)
            except ImportError as error:
                raise MissingDependencyError(
                    "the detector needs mediapipe, which cannot be imported here "
                    f"({error}); run: pip install mediapipe"
                ) from error
            self._close = weakref.finalize(self, _shut, self._landmarker, os.getpid())
            self._close.atexit = False  # what it closes with has ended by then
            # Its threads log while the first picture passes through.
            self._run(torch.zeros(64, 64, 3, dtype=torch.uint8), None)

    def _run(self, pixels: UInt8[Tensor, "H W 3"], time: float | None) -> Any:
        import mediapipe

        data = np.ascontiguousarray(pixels.cpu().numpy())
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=data)
        if not self._follow:
            return self._landmarker.detect(image)
        wanted = self._stamp + _FRAME if time is None else round(time * 1000)
        self._stamp = max(self._stamp + 1, wanted)  # it refuses to go back in time
        return self._landmarker.detect_for_video(image, self._stamp)


def _create(path: Path, *, follow: bool) -> Any:
    from mediapipe.tasks import python as tasks
    from mediapipe.tasks.python import vision

    options = vision.FaceLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_path=str(path)),
        output_face_blendshapes=True,
        num_faces=1 if follow else _MOST_FACES,  # it smooths only where it follows one face
        running_mode=vision.RunningMode.VIDEO if follow else vision.RunningMode.IMAGE,
    )
    return vision.FaceLandmarker.create_from_options(options)


def _shut(landmarker: Any, process: int) -> None:
    if os.getpid() != process:  # its threads did not come along into a fork: they are waited for
        return
    with quiet():
        landmarker.close()


def _landmarks(points: Any, scores: Any, width: int, height: int) -> Landmarks:
    normalised: Float[Tensor, "N 3"] = torch.tensor([[p.x, p.y, p.z] for p in points])
    screen = normalised[:, :2] * torch.tensor([float(width), float(height)])
    depth = normalised[:, 2] * width  # MediaPipe's z is in units of the picture's width
    return Landmarks(
        points=screen,
        scheme="478",
        confidence=torch.ones(len(screen)),
        box=box_of(screen),
        depth=straightened(depth, screen),
        scores={s.category_name: float(s.score) for s in scores if s.category_name != "_neutral"},
    )
