"""What is exported: the face of a file, and the pictures that it was fitted to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from morphface.exchange import Clip
from morphface.fit.fitted import FittedFace
from morphface.media.images import Photo, read_image
from morphface.parameters import load_parameters, load_track
from morphface.pipelines.actors import Actor, file_of, is_parameters, is_video, read_actor
from morphface.pipelines.photo import Progress

__all__ = ["IMPORTED", "Source", "read_source"]

IMPORTED = "imported"
"""Entry of a header's `extra`: the file of another program that a track was made of."""


@dataclass(frozen=True, eq=False)
class Source:
    """A face to export.

    Args:
        path: of its file.
        clip: its frames.
        extra: what the header of the file holds besides.
        warning: why the fit may not be trusted; empty where it may.
        video: that it was fitted to, if it is there.
        photo: of a face in one frame, likewise.
        face: what was fitted to `photo` just now.
    """

    path: str
    clip: Clip
    extra: dict[str, Any]
    warning: str = ""
    video: Path | None = None
    photo: Photo | None = None
    face: FittedFace | None = None


def read_source(
    source: str | Path,
    *,
    model: str | None = None,
    pictures: str | Path | None = None,
    progress: Progress | None = None,
) -> Source:
    """The face of a file.

    Args:
        source: a fitted `face.npz`, a `track.npz`, the folder that holds one, a photo, or a
            video.
        model: name or path of the model to fit; for parameters, where their model is.
        pictures: the video of a track or the photo of a face, if it is no longer where it was.
        progress: is told what begins now.

    Raises:
        MorphfaceError: as in `read_actor`.
    """
    path = file_of(source)
    actor = read_actor(path, model, progress=progress)
    extra = _extra(path, actor)
    return Source(
        path=path,
        clip=Clip.of(actor.track or actor.parameters, actor.model, actor.camera),
        extra=extra,
        warning=actor.warning,
        video=_video(path, extra, pictures),
        photo=actor.photo or _photo(path, actor, extra, pictures),
        face=actor.face,
    )


def _extra(path: str, actor: Actor) -> dict[str, Any]:
    if not is_parameters(path):
        return {}
    header = load_parameters(path)[2] if actor.track is None else load_track(path)[1]
    extra = header.get("extra")
    return extra if isinstance(extra, dict) else {}


def _video(path: str, extra: dict[str, Any], pictures: str | Path | None) -> Path | None:
    """The video of a track: the one given, or the one that it was made of, where it is found."""
    if pictures is not None:
        return Path(pictures) if is_video(str(pictures)) else None
    if is_video(path):
        return Path(path)
    found = _found(path, extra.get("video"))
    return found if found is not None and is_video(str(found)) else None


def _photo(
    path: str, actor: Actor, extra: dict[str, Any], pictures: str | Path | None
) -> Photo | None:
    """The photo of fitted parameters: the one given, or where it was, if it has their size."""
    if actor.track is not None or (pictures is not None and is_video(str(pictures))):
        return None
    found = _found(path, extra.get("image")) if pictures is None else Path(pictures)
    if found is None:
        return None
    photo = read_image(found)
    turns = extra.get("quarter_turns")
    photo = photo.turned(turns) if isinstance(turns, int) and turns else photo
    return photo if photo.size == actor.camera.size else None


def _found(path: str, named: object) -> Path | None:
    """A file that a header names: where it was, or beside the parameters."""
    if not isinstance(named, str):
        return None
    places = (Path(named), Path(path).parent / Path(named).name)
    return next((place for place in places if place.is_file()), None)
