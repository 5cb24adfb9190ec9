"""A photo in, fitted faces out; nothing is written."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import BackendError, ParameterError
from morphface.fit import FitResult, fit_linear
from morphface.geometry.angles import rotvec_to_angles
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks import Landmarks, choose, find_faces, read_landmarks
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.find import Search
from morphface.media.images import Photo, read_image
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters

__all__ = ["FittedFace", "FittedPhoto", "Progress", "fit_photo"]

Progress = Callable[[str], None]
"""Is told in a few words what begins now."""


@dataclass(frozen=True, eq=False)
class FittedFace:
    """One face of a photo.

    Args:
        fit: parameters, camera, and how far they may be trusted.
        model: that the parameters belong to.
        seconds: how long each step took.
    """

    fit: FitResult
    model: MorphableModel
    seconds: dict[str, float]

    @property
    def parameters(self) -> FaceParameters:
        """What was fitted."""
        return self.fit.parameters

    @property
    def camera(self) -> Camera:
        """The camera that took the photo, as far as the face tells."""
        return self.fit.camera

    @property
    def pose_degrees(self) -> dict[str, float]:
        """Yaw, pitch and roll in degrees, turned in that order; see `geometry.angles`."""
        angles = rotvec_to_angles(self.parameters.rotation[0])
        return dict(zip(("yaw", "pitch", "roll"), torch.rad2deg(angles).tolist(), strict=True))

    def vertices(self) -> Float[Tensor, "V 3"]:
        """The fitted head in the model frame, in millimetres."""
        face = self.parameters
        return self.model.vertices(face.identity, face.expression, face.gaze)[0]

    def vertices_in_camera(self) -> Float[Tensor, "V 3"]:
        """The fitted head in the camera frame, in millimetres."""
        face = self.parameters
        return to_camera(self.vertices(), face.rotation[0], face.translation[0])


@dataclass(frozen=True, eq=False)
class FittedPhoto:
    """The faces of a photo.

    Args:
        photo: turned so that its faces are upright.
        faces: those asked for.
    """

    photo: Photo
    faces: tuple[FittedFace, ...]


def fit_photo(
    image: str | Path,
    *,
    model: str | Path = "open-head",
    faces: str | int = "largest",
    landmarks: str | Path | None = None,
    focal: float | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> FittedPhoto:
    """Find faces in a photo and fit a morphable model to them.

    Args:
        image: path of a picture, or `sample:astronaut`.
        model: name or path of a morphable model.
        faces: "largest", "all", or an index from 0, the largest face first.
        landmarks: a file to read them from, instead of detecting them.
        focal: focal length in pixels; None takes it from the picture's EXIF data, or estimates.
        device: where to compute.
        progress: is told what begins now.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    tell = progress or (lambda _: None)
    check_device(device)
    if focal is not None and not (math.isfinite(focal) and focal > 0):
        raise ParameterError(f"focal must be a positive number of pixels, got {focal:g}")
    tell("reading the picture")
    clock = _Clock()
    photo = read_image(image)
    head = load_model(model)
    clock.lap("read")
    photo, found = _find(photo, landmarks, faces, tell)
    clock.lap("detect")
    tell("fitting")
    fitted = []
    for face in choose(found, faces):
        fit = fit_linear(head, face.to(device), size=photo.size, focal=focal or photo.focal)
        clock.lap("fit")
        fitted.append(FittedFace(fit.to("cpu"), head, dict(clock.laps)))
    return FittedPhoto(photo, tuple(fitted))


def check_device(name: str) -> None:
    """Refuse a device that cannot compute here.

    Raises:
        BackendError: it is unknown, or this machine or torch build lacks it.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BackendError(f"there is no device {name!r}; use cpu or cuda") from error
    if device.type == "cpu":
        return
    if device.type != "cuda":
        raise BackendError(f"device {name!r} is not supported; use cpu or cuda")
    if not torch.cuda.is_available():
        raise BackendError(f"device {name!r} cannot be used: torch sees no CUDA GPU; use cpu")
    if (device.index or 0) >= torch.cuda.device_count():
        raise BackendError(
            f"device {name!r} is not there: this machine has "
            f"{torch.cuda.device_count()} CUDA devices"
        )


def _find(
    photo: Photo, landmarks: str | Path | None, faces: str | int, tell: Progress
) -> tuple[Photo, list[Landmarks]]:
    if landmarks is not None:
        tell("reading the landmarks")
        return photo, read_landmarks(landmarks)
    tell("looking for faces")
    search: Search = "auto" if str(faces) == "largest" else "always"
    with MediaPipeDetector() as detector:
        return find_faces(photo, detector, search=search)


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """What went on until now was `name`."""
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 4)
        self._last = now
