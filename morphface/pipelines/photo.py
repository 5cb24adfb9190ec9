"""A photo in, fitted faces out; nothing is written."""

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Required, TypedDict

import torch
from torch import Tensor

from morphface.core.errors import BackendError, LandmarkError, ModelError, ParameterError
from morphface.fit import FitResult, PhotometricResult, fit_photometric
from morphface.fit.analysis.ready import readied
from morphface.fit.analysis.settings import GROUPS
from morphface.fit.covered import fit_seen
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.geometry.camera import Camera
from morphface.geometry.focal import FocalLength, focal_pixels
from morphface.landmarks import Landmarks, choose, find_faces, read_landmarks
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.find import Search
from morphface.landmarks.placing import PixelsOf, placed
from morphface.media.images import Photo, PictureSource, name_of, read_image
from morphface.media.photo import UPRIGHT
from morphface.models import MorphableModel, load_model
from morphface.pipelines.calibration import Calibration, CameraSource, check_camera
from morphface.pipelines.kept import is_kept, read_kept
from morphface.pipelines.model_landmarks import with_landmarks_for
from morphface.pipelines.verdicts import known_lens, verdict_on, witness_of
from morphface.pipelines.wishes import check_detector, check_wishes
from morphface.render.backends.kernels.compiler import compiled_before

__all__ = [
    "FittedFace",
    "FittedPhoto",
    "Progress",
    "Wishes",
    "check_device",
    "faces_of",
    "fit_photo",
    "named_model",
]

CALIBRATED = tuple(name for name in GROUPS if name != "focal")
"""What pixels may change where the camera is known."""

HOPELESS = 0.2
"""Landmark error, in eye distances, from which pixels cannot save a fit."""

Progress = Callable[[str], None]
"""Is told in a few words what begins now."""


class Lens(TypedDict, total=False):
    """Optional arguments of `fit_linear`, for functions that pass them on."""

    size: Required[tuple[int, int]]
    focal: FocalLength | None
    camera: Camera | None
    identity: Tensor | None


class Wishes(TypedDict, total=False):
    """Optional arguments of `fit_photo`, for functions that pass them on."""

    landmarks: str | Path | None
    landmarks_in: PixelsOf | None
    focal: FocalLength | None
    camera: CameraSource | None
    stage: str
    device: str
    detector: str | Path


def fit_photo(
    image: PictureSource,
    *,
    model: str | Path = "open-head",
    faces: str | int = "largest",
    landmarks: str | Path | None = None,
    landmarks_in: PixelsOf | None = None,
    focal: FocalLength | None = None,
    camera: CameraSource | None = None,
    stage: str = "pixels",
    device: str = "cpu",
    detector: str | Path = "mediapipe",
    progress: Progress | None = None,
) -> FittedPhoto:
    """Find faces in a photo and fit a morphable model to them.

    Landmarks give a first guess; with the stage "pixels", analysis by synthesis then finds the
    parameters that explain the photo, reflectance and illumination among them.

    Args:
        image: a picture: a path, `sample:astronaut`, or what else `read_image` takes: bytes, an
            opened file, an array of RGB, an image of Pillow, a `Photo`. Or a fit that was written
            before, its `face.npz` or its folder: it comes back as it is, with its photo.
        model: name or path of a morphable model.
        faces: "largest", "all", or an index from 0, the largest face first.
        landmarks: a file to read them from, instead of detecting them.
        landmarks_in: which pixels that file means: those of the picture "shown", upright, or those
            "stored", before its EXIF orientation; None: those shown, refused where that lays faces
            on their sides.
        focal: focal length in pixels, or a 35-mm equivalent as text, such as "50mm"; None takes it
            from the picture's EXIF data, or estimates.
        camera: that took the picture, if it is calibrated: a `Camera`, `Intrinsics`, numbers as
            "fx,fy,cx,cy,k1,k2,p1,p2,k3", or a file, `cameras.txt` of COLMAP or `transforms.json`.
            Distortion is taken out of the picture and of landmarks, once.
        stage: "linear" stops after the landmarks, in hundredths of a second.
        device: where to compute.
        detector: who finds faces: "mediapipe", or the run of a `morphface train parts`, whose
            network finds them from their parts upward; MediaPipe's landmark network is asked there.
        progress: is told what begins now.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    tell = progress or (lambda _: None)
    _check(device, focal, stage, detector)
    if is_kept(image):
        return _kept(image, model, faces, [landmarks, landmarks_in, focal, camera])
    check_camera(camera, focal)
    tell("reading the picture")
    clock = Clock()
    photo = read_image(image)
    given = None if landmarks is None else _landmarks_of(landmarks, photo, landmarks_in)
    calibration, photo, given = _calibrated(camera, photo, given)
    lens = photo.focal if focal is None else focal_pixels(focal, photo.size)
    head = load_model(model)
    clock.lap("read")
    with readied(head) if (stage, device) == ("pixels", "cpu") else nullcontext():
        both = faces_of(photo, faces, tell, detector) if given is None else (photo, given)
    photo, found = both
    taken_by = None if calibration is None else calibration.camera(photo)
    clock.lap("detect")
    chosen = choose(found, faces)
    head = with_landmarks_for(head, model, {face.scheme for face in chosen}, tell)
    tell("fitting" if compiled_before() else "fitting; what this machine compiles once comes first")
    fitted = []
    wishes: Lens = {"size": photo.size, "focal": lens, "camera": taken_by}
    for face in chosen:
        fit, cover = fit_seen(head, photo, face.to(device), **wishes)
        clock.lap("fit")
        seen = _fit_pixels(head, photo, (fit, cover), device, camera) if stage == "pixels" else None
        if seen is not None:
            clock.lap("pixels")
        others = [other for other in found if other is not face]
        witness = None if given is None else witness_of(photo, face)
        told = known_lens(focal, lens, camera) | {"others": others, "witness": witness}
        verdict = verdict_on(head, photo, fit, seen, cover=cover, **told)
        clock.lap("verdict")
        fitted.append(FittedFace(fit.to("cpu"), head, dict(clock.laps), seen, verdict))
    return FittedPhoto(photo, tuple(fitted), focal)


def _check(device: str, focal: FocalLength | None, stage: str, detector: str | Path) -> None:
    """Refuse what no photo could be fitted with."""
    check_device(device)
    check_wishes(focal, stage)
    if detector == "parts":
        check_detector("parts", None)


def _kept(
    source: PictureSource, model: str | Path, faces: str | int, others: list[object]
) -> FittedPhoto:
    """An earlier fit, which cannot be wished otherwise."""
    if any(wish is not None for wish in others):
        raise ParameterError(
            f"{name_of(source)} is a fit already: leave out landmarks, focal and camera, or give "
            "the photo"
        )
    given = None if str(model) == "open-head" else str(model)
    return read_kept(str(source), faces, lambda path, name: named_model(path, name, given))


def _calibrated(
    camera: CameraSource | None, photo: Photo, given: list[Landmarks] | None
) -> tuple[Calibration | None, Photo, list[Landmarks] | None]:
    """What is known of the camera, and the picture and landmarks without its distortion."""
    if camera is None:
        return None, photo, given
    known = Calibration.of(camera, photo)
    return known, known.photo(photo), None if given is None else known.landmarks(given)


def _fit_pixels(
    model: MorphableModel,
    photo: Photo,
    begun: tuple[FitResult, Tensor],
    device: str,
    camera: CameraSource | None,
) -> PhotometricResult | None:
    """What the pixels say, or None if the landmarks gave nothing to start from."""
    start, cover = begun
    if not start.landmark_nme <= HOPELESS:
        return None
    free = GROUPS if camera is None else CALIBRATED
    pixels, covers = photo.pixels.to(device), [cover.to(device)]
    return fit_photometric(model, [pixels], [start], free=free, covers=covers).to("cpu")


def named_model(path: str, name: str, given: str | None) -> MorphableModel:
    """The model of a file, which names it.

    Args:
        path: of the file.
        name: of the model.
        given: where the model is, if it is not known by its name.

    Raises:
        ModelError: the model is not known here.
    """
    if given is not None:
        model = load_model(given)
        if model.name == name:
            return model
    try:
        return load_model(name)
    except ModelError as error:
        raise ModelError(
            f"{path} belongs to model {name!r}, which is not known here; give its path as --model"
        ) from error


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


def _landmarks_of(path: str | Path, photo: Photo, pixels: PixelsOf | None) -> list[Landmarks]:
    """Those of a file, in pixels of the photo as it is shown."""
    try:
        return placed(read_landmarks(path), photo.size, UPRIGHT[photo.orientation], pixels)
    except LandmarkError as error:
        told = str(error)
        raise LandmarkError(told if str(path) in told else f"{path} {told}") from error


def faces_of(
    photo: Photo, faces: str | int, tell: Progress, detector: str | Path = "mediapipe"
) -> tuple[Photo, list[Landmarks]]:
    """The photo, turned so that its faces are upright, and these, the largest first.

    Args:
        photo: to look at.
        faces: which are wanted, as in `fit_photo`.
        tell: is told what begins now.
        detector: who looks, as in `fit_photo`.

    Raises:
        NoFaceError: nobody was found.
    """
    tell("looking for faces")
    search: Search = "auto" if str(faces) == "largest" else "always"
    return find_faces(photo, detector_of(os.getpid(), str(detector)), search=search)


@cache
def detector_of(process: int, name: str = "mediapipe") -> LandmarkDetector:
    """That of a process: starting one takes as long as using it, and its threads do not fork.

    Args:
        process: its number.
        name: as in `fit_photo`.

    Raises:
        MissingFileError: there is no such run.
        ModelError: it holds no network of parts.
    """
    if name == "mediapipe":
        return MediaPipeDetector()
    from morphface.landmarks.detectors.parts import PartsDetector

    return PartsDetector(name)


class Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        """What went on until now was `name`."""
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 4)
        self._last = now

    def skip(self) -> None:
        """What went on until now is not told."""
        self._last = time.perf_counter()
