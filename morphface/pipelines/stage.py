"""Faces of a photo, fitted, and what they are to become: what views, edits and orbits draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.edit import edit
from morphface.edit.light import Light
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.media.images import Photo, PictureSource, name_of, read_image
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.honest import check_turn, doubt, shown_of
from morphface.pipelines.kept import is_kept
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.rerender import Rerenderer
from morphface.rerender.backdrops import BACKGROUNDS, check_background, filling
from morphface.rerender.shrink import shrunk

if TYPE_CHECKING:
    from morphface.pipelines.oneshot.drawer import MadeDrawer

__all__ = ["Changes", "Options", "Stage", "stage_of", "stem_of", "tell_doubt"]

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


@dataclass(frozen=True, eq=False)
class Stage:
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
        """A picture as the photo lay in its file.

        Args:
            pixels: of the photo as it was fitted.
        """
        photo = self.found.photo
        return replace(photo, pixels=pixels).turned(-photo.turns).pixels

    def check(self, wanted: Sequence[FaceParameters], *, force: bool) -> None:
        """Refuse heads that are turned too far.

        Args:
            wanted: what each face becomes, for one frame after the other.
            force: whether to go on all the same.

        Raises:
            ParameterError: one is turned by more than 100 degrees.
        """
        faces = self.found.faces
        for k, parameters in enumerate(wanted):
            check_turn(faces[k % len(faces)], parameters, force=force)

    def draw(
        self, wanted: Sequence[FaceParameters]
    ) -> tuple[Float[Tensor, "H W 3"], Float[Tensor, "H W 1"]]:
        """All faces, and how far each pixel is to be trusted; of two faces the later is seen.

        Args:
            wanted: what each becomes.
        """
        photo = self.found.photo.pixels
        pixels, sure = photo, torch.ones_like(photo[..., :1])
        for drawer, parameters in zip(self.drawers, wanted, strict=True):
            drawn, trust = drawer.with_confidence(parameters)
            changed = (drawn != photo).any(-1, keepdim=True)
            pixels = torch.where(changed, drawn, pixels)
            sure = torch.where(changed, trust, sure)
        return pixels, sure

    def shown(self, wanted: FaceParameters, number: int, sure: Float[Tensor, "H W 1"]) -> float:
        """Share of a drawn head that the photo shows.

        Args:
            wanted: what it has become.
            number: of the face.
            sure: how far each pixel is to be trusted.
        """
        return shown_of(self.found.faces[number], wanted, sure)


def stage_of(
    image: PictureSource,
    changes: Mapping[str, Any],
    options: Mapping[str, Any],
    longest: int | None = None,
) -> Stage:
    """The faces of a photo, and what they are to become.

    Args:
        image: a picture, as of `fit_photo`.
        changes: arguments of `morphface.edit.edit`.
        options: of what is written, and wishes of `fit_photo`.
        longest: pixels along the longer side, at most; None is that of the photo.

    Raises:
        ParameterError: a change is not possible, or one background is asked for several faces.
        MorphfaceError: the subclass and its message say what is wrong with the input.
    """
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
    return Stage(found, background, wanted, options.get("generator"))


def _rehearsed(model: str | Path, changes: Mapping[str, Any]) -> None:
    """Refuses changes that cannot be made, before any work is done."""
    head = load_model(model)
    light = changes.get("light")
    if isinstance(light, Light):  # a neutral light has no direction that could be turned
        changes = {**changes, "light": None}
    edit(head.neutral(), model=head, **changes)


def _background(background: str | Path | Tensor) -> str | Tensor | Photo:
    """As it is, or the picture at a path."""
    if isinstance(background, Tensor) or background in BACKGROUNDS:
        return background if isinstance(background, Tensor) else str(background)
    if isinstance(background, str) and not Path(background).suffix:
        check_background(background)
    return read_image(background)


def tell_doubt(shares: Sequence[float], options: Mapping[str, Any]) -> None:
    """Tells who wants to know it that most of a head was guessed.

    Args:
        shares: of the heads that the photo shows.
        options: of what is written.
    """
    notice, words = options.get("notice"), doubt(shares)
    if notice is not None and words:
        notice(words)


def stem_of(image: PictureSource) -> str:
    """The name of a picture without its suffix.

    Args:
        image: the picture.
    """
    return Path(name_of(image).removeprefix("sample:")).stem
