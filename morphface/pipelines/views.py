"""A photo in, the photo with the head turned or the face edited out."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from jaxtyping import Float
from PIL import Image
from torch import Tensor

from morphface.core.errors import OutputError, ParameterError
from morphface.edit import edit
from morphface.edit.light import Light
from morphface.fit.fitted import FittedPhoto
from morphface.media.images import Photo, PictureSource, name_of, read_image, write_photo
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.rerender import Rerenderer
from morphface.rerender.backdrops import BACKGROUNDS, check_background, filling
from morphface.rerender.shrink import shrunk

__all__ = ["Changes", "edit_photo", "orbit_photo", "view_photo"]

LONGEST = 720
"""Pixels along the longer side of an orbit's video."""
RATE = 25.0
_SWINGS = 1.0, 80.0


class Changes(TypedDict, total=False):
    """What `edit_photo` changes; the arguments of `morphface.edit.edit`, in degrees."""

    expression: Mapping[str, float] | None
    preset: str | Mapping[str, float] | None
    yaw: float | None
    pitch: float | None
    roll: float | None
    gaze: Sequence[float] | None
    light: float | Light | Tensor | None
    identity: Mapping[int, float] | None
    additive: bool


class Options(Wishes, total=False):
    """Optional arguments of all functions here."""

    model: str | Path
    faces: str | int
    background: str | Path | Float[Tensor, "H W 3"]
    progress: Progress | None


def view_photo(
    image: PictureSource,
    out: str | Path | None = None,
    *,
    yaw: float | None = None,
    pitch: float | None = None,
    roll: float | None = None,
    **options: Unpack[Options],
) -> Path:
    """Write the photo with the head turned; a yaw of 0 is the view from the front.

    Angles are those of the head towards the camera, not changes; those that are not given stay.

    Args:
        image: a picture, as of `fit_photo`.
        out: the picture to write; None is `NAME-view.png`, here.
        yaw: in degrees; positive turns the face to the subject's left, image right.
        pitch: in degrees; positive is up.
        roll: in degrees; positive tilts the head counter-clockwise in the image.
        options: `background` ("original", "blurred", "plain" or a picture), `faces`, `model`,
            `progress`, and the other arguments of `fit_photo`.

    Returns:
        What was written.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    place = _place(image, out, "view")
    changes = Changes(yaw=yaw, pitch=pitch, roll=roll)
    if all(value is None for value in (yaw, pitch, roll)):
        changes["yaw"] = 0.0
    return _edited(image, place, changes, options)


def edit_photo(
    image: PictureSource,
    out: str | Path | None = None,
    *,
    changes: Changes | None = None,
    **options: Unpack[Options],
) -> Path:
    """Write the photo with the face edited; without changes it is the photo itself.

    Args:
        image: a picture, as of `fit_photo`.
        out: the picture to write; None is `NAME-edit.png`, here.
        changes: arguments of `morphface.edit.edit`, by name.
        options: as in `view_photo`.

    Returns:
        What was written.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    return _edited(image, _place(image, out, "edit"), changes or Changes(), options)


def orbit_photo(
    image: PictureSource,
    out: str | Path | None = None,
    *,
    swing: float = 30.0,
    seconds: float = 4.0,
    changes: Changes | None = None,
    **options: Unpack[Options],
) -> Path:
    """Write a video in which the head swings from one side to the other and back, for a loop.

    Args:
        image: a picture, as of `fit_photo`.
        out: the video to write, .mp4, .webm or .gif; None is `NAME-orbit.mp4`, here.
        swing: how far to either side, in degrees.
        seconds: how long.
        changes: as in `edit_photo`; its yaw is the middle of the swing, 0 if it is not given.
        options: as in `view_photo`.

    Returns:
        What was written.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
    from morphface.media.video import VideoWriter

    least, most = _SWINGS
    if not least <= swing <= most:
        raise ParameterError(f"swing must be from {least:g} to {most:g} degrees, got {swing:g}")
    if not 0.2 <= seconds <= 60:
        raise ParameterError(f"seconds must be from 0.2 to 60, got {seconds:g}")
    place = Path(out or f"{_name(image)}-orbit.mp4")
    VideoWriter(place, (2, 2), RATE)  # refuses a wrong suffix before any work is done
    changes = changes or Changes()
    half = max(round(seconds * RATE / 2), 1)
    middle = changes.get("yaw") or 0.0
    yaws = [middle - swing * math.cos(math.pi * k / half) for k in range(half + 1)]
    stage, photo, bases = _stage(image, {**changes, "yaw": None}, options, LONGEST)
    tell = options.get("progress") or (lambda _: None)
    frames = []
    for number, yaw in enumerate(yaws):
        tell(f"drawing frame {number + 1} of {len(yaws)}")
        turned = [edit(base, model=model, yaw=yaw) for base, model in bases]
        frames.append(replace(photo, pixels=stage(turned)).turned(-photo.turns).to_uint8())
    height, width = frames[0].shape[:2]
    with VideoWriter(place, (height, width), RATE) as writer:
        for frame in (*frames, *frames[-2:0:-1]):
            writer.write(frame)
    return place


def _edited(
    image: PictureSource, place: Path, changes: Changes, options: Mapping[str, Any]
) -> Path:
    stage, photo, parameters = _stage(image, changes, options)
    tell = options.get("progress") or (lambda _: None)
    tell("drawing")
    pixels = stage([face for face, _ in parameters])
    back = -photo.turns
    write_photo(place, replace(photo, pixels=pixels).turned(back).pixels, photo.turned(back))
    return place


def _stage(
    image: PictureSource,
    changes: Mapping[str, Any],
    options: Mapping[str, Any],
    longest: int | None = None,
) -> tuple[
    Callable[[Sequence[FaceParameters]], Float[Tensor, "H W 3"]],
    Photo,
    list[tuple[FaceParameters, Any]],
]:
    """What draws the faces, the photo, and what they are to become, with their models."""
    wishes = dict(options)
    background = _background(wishes.pop("background", "original"))
    _rehearsed(wishes.get("model", "open-head"), changes)
    found = fit_photo(image, **wishes)
    if longest is not None:
        found = shrunk(found, longest)
    if len(found.faces) > 1 and not (isinstance(background, str) and background == "original"):
        raise ParameterError("another background needs a single face: choose one with faces=0")
    if isinstance(background, Photo):
        background = filling(background.pixels, found.photo.size)
    wanted = [
        (edit(face.parameters, model=face.model, **changes), face.model) for face in found.faces
    ]
    return _drawing(found, background), found.photo, wanted


def _drawing(
    found: FittedPhoto, background: str | Tensor
) -> Callable[[Sequence[FaceParameters]], Float[Tensor, "H W 3"]]:
    """A function that draws all faces of a photo, one after the other."""
    first = Rerenderer(found.faces[0], found.photo, background)

    def draw(parameters: Sequence[FaceParameters]) -> Float[Tensor, "H W 3"]:
        pixels = first(parameters[0])
        for face, wanted in zip(found.faces[1:], parameters[1:], strict=True):
            pixels = Rerenderer(face, replace(found.photo, pixels=pixels))(wanted)
        return pixels

    return draw


def _rehearsed(model: str | Path, changes: Mapping[str, Any]) -> None:
    """Refuses changes that cannot be made, before any work is done."""
    head = load_model(model)
    rank = 0 if head.reflectance is None else head.reflectance.rank
    neutral = FaceParameters.neutral(
        identity=head.identity.rank, expression=head.expression.rank, reflectance=rank
    )
    light = changes.get("light")
    if isinstance(light, Light):  # a neutral light has no direction that could be turned
        changes = {**changes, "light": None}
    edit(neutral, model=head, **changes)


def _background(background: str | Path | Tensor) -> str | Tensor | Photo:
    """As it is, or the picture at a path."""
    if isinstance(background, Tensor) or background in BACKGROUNDS:
        return background if isinstance(background, Tensor) else str(background)
    if isinstance(background, str) and not Path(background).suffix:
        check_background(background)
    return read_image(background)


def _name(image: PictureSource) -> str:
    return Path(name_of(image).removeprefix("sample:")).stem


def _place(image: PictureSource, out: str | Path | None, kind: str) -> Path:
    """Where the picture goes, if one can be written under that name."""
    place = Path(out or f"{_name(image)}-{kind}.png")
    if place.suffix.lower() not in Image.registered_extensions():
        raise OutputError(f"cannot write {place}: the suffix must be that of a picture, as .png")
    if place.resolve() == Path(name_of(image)).resolve():
        raise OutputError(f"cannot write to {place}: it is the photo itself; choose another name")
    return place
