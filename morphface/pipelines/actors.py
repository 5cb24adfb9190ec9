"""Who is in a file: a fitted face, a track, a photo or a video, as one kind of record."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphface.core.errors import ModelError, ParameterError
from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters, load_parameters
from morphface.parameters.archive import read_entries
from morphface.parameters.track import load_track
from morphface.pipelines.photo import FittedFace, Progress, fit_photo

__all__ = ["RATE", "Actor", "file_of", "is_parameters", "is_video", "model_of", "read_actor"]

RATE = 25.0
"""Frames a second of parameters that do not tell."""
_VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".gif")
_KIND = "file of parameters; `morphface fit` and `morphface track` write such files"


@dataclass(frozen=True, eq=False)
class Actor:
    """A person of a file.

    Args:
        path: of the file.
        kind: "parameters", "track" or "photo".
        parameters: of the person, in one frame or more.
        camera: that saw them.
        model: that the parameters belong to.
        rate: frames a second.
        photo: that was fitted, of a photo.
        face: what was fitted to it.
        warning: why the fit may not be trusted; empty where it may.
    """

    path: str
    kind: str
    parameters: FaceParameters
    camera: Camera
    model: MorphableModel
    rate: float = RATE
    photo: Photo | None = None
    face: FittedFace | None = None
    warning: str = ""

    def provenance(self) -> dict[str, Any]:
        """Where it comes from, for headers and reports."""
        known = {"path": self.path, "kind": self.kind, "model": self.model.name}
        place = Path(self.path)
        if place.is_file():
            known["sha256"] = hashlib.sha256(place.read_bytes()).hexdigest()
        return {**known, "frames": self.parameters.frames}


def file_of(path: str | Path) -> str:
    """The path; of a folder that `morphface fit` or `morphface track` wrote, its parameters."""
    inside = [Path(path) / name for name in ("track.npz", "face.npz")]
    return str(next((file for file in inside if file.is_file()), path))


def is_parameters(path: str) -> bool:
    """Whether the name is that of a file of parameters."""
    return Path(path).suffix.lower() == ".npz"


def is_video(path: str) -> bool:
    """Whether the name is that of a video."""
    return Path(path).suffix.lower() in _VIDEOS


def model_of(path: str) -> str | None:
    """The name of the model that a file of parameters belongs to; None for other files.

    Raises:
        MissingFileError: there is no such file.
        ParameterError: it is no file of parameters.
    """
    return _read(path)[-1] if is_parameters(path) else None


def read_actor(path: str, model: str | None = None, *, progress: Progress | None = None) -> Actor:
    """The person of a file; the largest face of a photo, which is fitted.

    Args:
        path: a fitted `face.npz`, a `track.npz`, a photo, or `sample:astronaut`.
        model: name or path of the model to fit; for parameters, where their model is.
        progress: is told what begins now.

    Raises:
        ParameterError: it is a video, or no file of parameters.
        ModelError: the model of the parameters is not known here.
        MorphfaceError: as of `fit_photo`.
    """
    if is_parameters(path):
        parameters, camera, rate, kind, name = _read(path)
        return Actor(path, kind, parameters, camera, _model(path, name, model), rate)
    if is_video(path):
        raise ParameterError(
            f"{path} is a video, whose faces must be tracked first: "
            f"morphface track {path} -o track.npz, then give track.npz here"
        )
    tell: Callable[[str], None] = progress or (lambda _: None)
    fitted = fit_photo(
        path, model=model or "open-head", progress=lambda words: tell(f"{path}: {words}")
    )
    face = fitted.faces[0]
    return Actor(
        path,
        "photo",
        face.parameters,
        face.camera,
        face.model,
        photo=fitted.photo,
        face=face,
        warning="" if face.converged else face.reason,
    )


def _read(path: str) -> tuple[FaceParameters, Camera, float, str, str]:
    """Parameters, camera, rate, kind and name of the model."""
    if "states" in read_entries(Path(path), _KIND):
        track, header = load_track(path)
        steps = track.times.diff()
        rate = float(1 / steps.median()) if len(steps) and float(steps.median()) > 0 else RATE
        return track.parameters, track.camera, rate, "track", str(header.get("model"))
    parameters, camera, header = load_parameters(path)
    return parameters, camera, RATE, "parameters", str(header.get("model"))


def _model(path: str, name: str, given: str | None) -> MorphableModel:
    """The model of a file, which names it; its path may be `given`."""
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
