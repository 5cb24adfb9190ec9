"""A photo in, the photo with the head turned or the face edited out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import OutputError, ParameterError
from morphface.core.lookahead import computed_ahead
from morphface.edit import edit
from morphface.edit.light import Light
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.media.images import (
    Photo,
    PictureSource,
    can_write,
    name_of,
    read_image,
    write_image,
)
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.honest import check_turn, doubt, shown_share
from morphface.pipelines.kept import is_kept
from morphface.pipelines.marks import labelled, made_tags, write_made
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.rerender import Rerenderer
from morphface.rerender.backdrops import BACKGROUNDS, check_background, filling
from morphface.rerender.looks import Look
from morphface.rerender.shrink import shrunk

if TYPE_CHECKING:
    from morphface.pipelines.oneshot.drawer import MadeDrawer

__all__ = ["Changes", "edit_photo", "orbit_photo", "view_photo"]

LONGEST = 720
"""Pixels along the longer side of an orbit's video."""
RATE = 25.0
_SWINGS = 1.0, 80.0
_DRAWING = ("background", "notice", "confidence", "label", "force", "generator")


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
    notice: Progress | None
    confidence: str | Path | None
    label: bool
    force: bool
    generator: str | Path | None


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
            `progress`, and the other arguments of `fit_photo`. `confidence`: another picture to
            write, of what the photo shows (white), what is continued (grey) and what is invented
            (black). `notice` is told, in one sentence, if most of the head was guessed. `label`
            writes `synthetic` into a corner; the file's metadata always says so. `force` draws
            heads that are turned by more than 100 degrees from the photo. `generator`: the run of
            a one-shot generator, which then draws.

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
    stage = _stage(image, {**changes, "yaw": None}, options, LONGEST)
    tell = options.get("progress") or (lambda _: None)
    turned = [
        [edit(base, model=face.model, yaw=yaw) for base, face in zip(*stage.all, strict=True)]
        for yaw in yaws
    ]
    stage.check(list(chain(*turned)), force=options.get("force", False))
    frames: list[Tensor] = []
    with VideoWriter(place, stage.size, RATE, tags=made_tags(name_of(image))) as writer:
        for number, (drawn, _) in enumerate(computed_ahead(stage.draw, turned)):
            tell(f"drew frame {number + 1} of {len(turned)}")
            pixels = stage.upright(drawn)
            pixels = labelled(pixels) if options.get("label") else pixels
            frames.append(Photo(pixels).to_uint8())
            writer.write(frames[-1])
        for frame in frames[-2:0:-1]:
            writer.write(frame)
    return place


def _edited(
    image: PictureSource, place: Path, changes: Changes, options: Mapping[str, Any]
) -> Path:
    stage = _stage(image, changes, options)
    tell = options.get("progress") or (lambda _: None)
    stage.check(stage.wanted, force=options.get("force", False))
    tell("drawing")
    pixels, sure = stage.draw(stage.wanted)
    lying, label = stage.lying, options.get("label", False)
    write_made(place, stage.upright(pixels), name_of(image), label=label, photo=lying)
    notice, other = options.get("notice"), options.get("confidence")
    if other is not None:
        write_image(other, stage.upright(sure.expand(-1, -1, 3).contiguous()))
    words = doubt([stage.shown(k, sure) for k in range(len(stage.wanted))])
    if notice is not None and words:
        notice(words)
    return place


@dataclass(frozen=True, eq=False)
class _Stage:
    """The faces of a photo, ready to be drawn.

    Args:
        found: the photo and its faces.
        background: what is behind them.
        wanted: what they are to become.
        generator: the run of a one-shot generator that draws them; None re-renders them.
    """

    found: FittedPhoto
    background: str | Tensor
    wanted: list[FaceParameters]
    generator: str | Path | None = None

    @property
    def all(self) -> tuple[list[FaceParameters], tuple[FittedFace, ...]]:
        """What the faces are to become, and the faces."""
        return self.wanted, self.found.faces

    @cached_property
    def drawers(self) -> "Sequence[Rerenderer | MadeDrawer]":
        """One for each face, which leaves the others as they are."""
        if self.generator is not None:
            from morphface.pipelines.oneshot.drawer import drawers_of

            return drawers_of(self.found, self.generator, self.background)
        photo, background = self.found.photo, self.background
        return [Rerenderer(face, photo, background) for face in self.found.faces]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of what is written."""
        height, width = self.found.photo.size
        return (width, height) if self.found.photo.turns % 2 else (height, width)

    @property
    def lying(self) -> Photo:
        """The photo as it lay in its file."""
        return self.found.photo.turned(-self.found.photo.turns)

    def upright(self, pixels: Float[Tensor, "H W 3"]) -> Float[Tensor, "h w 3"]:
        """A picture as the photo lay in its file."""
        photo = self.found.photo
        return replace(photo, pixels=pixels).turned(-photo.turns).pixels

    def check(self, wanted: Sequence[FaceParameters], *, force: bool) -> None:
        """Refuse heads that are turned too far."""
        faces = self.found.faces
        for k, parameters in enumerate(wanted):
            check_turn(faces[k % len(faces)], parameters, force=force)

    def draw(
        self, wanted: Sequence[FaceParameters]
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """All faces, and how far each pixel is to be trusted; of two faces the later is seen."""
        photo = self.found.photo.pixels
        pixels, sure = photo, torch.ones_like(photo[..., :1])
        for drawer, parameters in zip(self.drawers, wanted, strict=True):
            drawn, trust = drawer.with_confidence(parameters)
            changed = (drawn != photo).any(-1, keepdim=True)
            pixels = torch.where(changed, drawn, pixels)
            sure = torch.where(changed, trust, sure)
        return pixels, sure

    def shown(self, number: int, sure: Float[Tensor, "H W 1"]) -> float:
        """Share of a drawn head that the photo shows."""
        face = self.found.faces[number]
        vertices = Look.of(face.model, self.wanted[number]).vertices
        return shown_share(sure, face.camera.project(vertices), self.found.photo.size)


def _stage(
    image: PictureSource,
    changes: Mapping[str, Any],
    options: Mapping[str, Any],
    longest: int | None = None,
) -> _Stage:
    """The faces of a photo, and what they are to become."""
    wishes = {name: value for name, value in options.items() if name not in _DRAWING}
    background = _background(options.get("background", "original"))
    if not is_kept(image):
        _rehearsed(wishes.get("model", "open-head"), changes)
    found = fit_photo(image, **wishes)
    if longest is not None:
        found = shrunk(found, longest)
    if len(found.faces) > 1 and not (isinstance(background, str) and background == "original"):
        raise ParameterError("another background needs a single face: choose one with faces=0")
    if isinstance(background, Photo):
        background = filling(background.pixels, found.photo.size)
    wanted = [edit(face.parameters, model=face.model, **changes) for face in found.faces]
    return _Stage(found, background, wanted, options.get("generator"))


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
    if not can_write(place):
        raise OutputError(f"cannot write {place}: the suffix must be that of a picture, as .png")
    if place.resolve() == Path(name_of(image)).resolve():
        raise OutputError(f"cannot write to {place}: it is the photo itself; choose another name")
    return place
