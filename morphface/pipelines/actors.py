"""Who is in a file: a fitted face, a track, a photo or a video, as one kind of record."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import NoFaceError
from morphface.fit.fitted import FittedFace
from morphface.geometry.camera import Camera
from morphface.media.images import Photo
from morphface.models import MorphableModel, load_model
from morphface.parameters import FaceParameters, load_parameters
from morphface.parameters.archive import read_entries
from morphface.parameters.track import LOST, Track, load_track
from morphface.pipelines.fit_folder import FILE
from morphface.pipelines.model_landmarks import with_landmarks_for
from morphface.pipelines.photo import Progress, fit_photo, named_model

if TYPE_CHECKING:
    from morphface.media.video import Frame

__all__ = [
    "RATE",
    "KEYS",
    "TRACK",
    "Actor",
    "file_of",
    "follow",
    "is_parameters",
    "is_video",
    "model_of",
    "named_model",
    "read_actor",
]

TRACK = "track.npz"
"""What `morphface track` calls the parameters in its folder."""
RATE = 25.0
"""Frames a second of parameters that do not tell."""
KEYS = 16
"""Frames of a video, spread over it, that a person's shape may come from."""
_VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".gif")
_KIND = "file of parameters; `morphface fit` and `morphface track` write such files"


@dataclass(frozen=True, eq=False)
class Actor:
    """A person of a file.

    Args:
        path: of the file.
        kind: "parameters", "track", "photo" or "video".
        parameters: of the person, in one frame or more.
        camera: that saw them.
        model: that the parameters belong to.
        rate: frames a second.
        times: of the frames, in seconds, of a track or a video.
        photo: that was fitted, of a photo.
        face: what was fitted to it.
        track: with the states of frames, of a track or a video.
        warning: why the fit may not be trusted; empty where it may.
    """

    path: str
    kind: str
    parameters: FaceParameters
    camera: Camera
    model: MorphableModel
    rate: float = RATE
    times: Float[Tensor, " T"] | None = None
    photo: Photo | None = None
    face: FittedFace | None = None
    track: Track | None = None
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
    inside = [Path(path) / name for name in (TRACK, FILE)]
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


def read_actor(
    path: str, model: str | None = None, *, drawn: bool = False, progress: Progress | None = None
) -> Actor:
    """The person of a file; the largest face of a photo, which is fitted.

    Args:
        path: a fitted `face.npz`, a `track.npz`, a photo, `sample:astronaut`, or a video, which
            is tracked.
        model: name or path of the model to fit; for parameters, where their model is.
        drawn: whether the face of a `face.npz` is wanted with its photo.
        progress: is told what begins now.

    Raises:
        ParameterError: it is no file of parameters.
        ModelError: the model of the parameters is not known here.
        NoFaceError: the face of a track or a video is lost in all frames.
        MorphfaceError: as of `fit_photo` and `fit_video`.
    """
    if is_parameters(path) and not drawn:
        return _read_parameters(path, model)
    tell = progress or (lambda _: None)
    chosen = model or "open-head"
    if is_video(path):
        return _tracked(path, chosen, lambda words: tell(f"{path}: {words}"))
    fitted = fit_photo(path, model=chosen, progress=lambda words: tell(f"{path}: {words}"))
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


def _read(path: str) -> tuple[FaceParameters, Camera, Track | None, str]:
    """Parameters, camera, the track if there is one, and the name of the model."""
    if "states" in read_entries(Path(path), _KIND):
        track, header = load_track(path)
        return track.parameters, track.camera, track, str(header.get("model"))
    parameters, camera, header = load_parameters(path)
    return parameters, camera, None, str(header.get("model"))


def _read_parameters(path: str, model: str | None) -> Actor:
    parameters, camera, track, name = _read(path)
    head = named_model(path, name, model)
    if track is None:
        return Actor(path, "parameters", parameters, camera, head)
    return _of_track(path, "track", track, head)


def _tracked(path: str, model: str, tell: Progress) -> Actor:
    """The person of a video who is tracked first."""
    from morphface.media.video import read_video

    head = with_landmarks_for(load_model(model), model, ["478", "68"], tell)
    with read_video(path) as video:
        try:
            track = follow(video, video.spread(KEYS), head, tell, total=video.frames)
        except NoFaceError as error:
            raise NoFaceError(f"{path}: {error}") from error
    return _of_track(path, "video", track, head)


def follow(
    frames: "Iterable[Frame]",
    keys: "Sequence[Frame]",
    model: MorphableModel,
    tell: Progress,
    *,
    total: int | None = None,
) -> Track:
    """The person who fills most of a video.

    Args:
        frames: of the video, in order.
        keys: some of them, spread over it.
        model: with landmarks.
        tell: is told what begins now.
        total: how many frames there are; None if that is not known.

    Raises:
        MorphfaceError: as of `fit_video`; `NoFaceError` if nobody is found.
    """
    from morphface.fit.video import TrackCollector, fit_video

    collector = TrackCollector()
    for frame in fit_video(frames, model, key_frames=keys, progress=tell):
        collector.add(frame)
        tell(f"tracking frame {collector.frames} of {total or 'many'}")
    return collector.track()


def _of_track(path: str, kind: str, track: Track, model: MorphableModel) -> Actor:
    steps = track.times.diff()
    step = float(steps.median()) if len(steps) else 0.0
    lost = track.count(LOST)
    if lost == track.frames:
        raise NoFaceError(
            f"{path}: the face is lost in all {lost} frames; use a video in which both eyes are "
            "seen and the face is at least 40 pixels large"
        )
    return Actor(
        path,
        kind,
        track.parameters,
        track.camera,
        model,
        rate=1 / step if step > 0 else RATE,
        times=track.times,
        track=track,
        warning=f"the face is lost in {lost} of {track.frames} frames" if lost else "",
    )
