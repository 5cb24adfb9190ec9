"""A tracked clip in memory as what one-shot generators train with: every photo with every frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.errors import ParameterError
from morphface.core.kept import Kept
from morphface.edit.named import named_values, names_of
from morphface.generate.bridge import taught_values
from morphface.generate.config import GeneratorConfig
from morphface.generate.reference import Reference
from morphface.generate.take import Take
from morphface.generate.windows import to_signed
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters
from morphface.render import Sitter
from morphface.render.maps.scene import Scene
from morphface.render.points import NUMBERS
from morphface.render.prior import FlowPrior

__all__ = [
    "ClipTakes",
    "Filmed",
    "album_from",
    "matte_share",
    "reference_of",
    "signed",
    "style_of",
    "taught_of",
    "window_of",
]

_P = TypeVar("_P")
_HELD = 512
"""Scenes that are kept drawn."""


@dataclass(frozen=True, eq=False)
class Filmed:
    """A person in consecutive frames of a clip, cropped.

    Args:
        parameters: of the frames.
        camera: that sees the crops.
        pictures: of the frames.
        mattes: where the person is in each.
        name: of the clip.

    Raises:
        ShapeError: the parts differ in frames or size.
    """

    parameters: FaceParameters
    camera: Camera
    pictures: UInt8[Tensor, "T S S 3"]
    mattes: UInt8[Tensor, "T S S"]
    name: str = ""

    def __post_init__(self) -> None:
        size = self.parameters.frames, *self.camera.size
        check_shape("pictures", self.pictures, *size, 3)
        check_shape("mattes", self.mattes, *size)


class ClipTakes:
    """Takes of a clip: number by number, every photo with every stretch of frames.

    Args:
        model: of the head.
        filmed: the clip.
        config: of the generator.
        photos: frames that serve as photos.
        rows: frames to make; a take has consecutive ones of these.
        longest: the most frames of a take.
        together: photos of a take.

    Raises:
        ParameterError: there is no photo or no row, or one that the clip has not.
    """

    def __init__(
        self,
        model: MorphableModel,
        filmed: Filmed,
        config: GeneratorConfig,
        *,
        photos: Sequence[int],
        rows: Sequence[int],
        longest: int = 1,
        together: int = 1,
    ) -> None:
        frames = filmed.parameters.frames
        if not photos or not rows or not {*photos, *rows} <= set(range(frames)):
            raise ParameterError(f"photos and rows must be one or more of {frames} frames")
        self._filmed, self._config = filmed, config
        self._photos, self._rows, self.longest = tuple(photos), tuple(rows), longest
        self._together = together
        self._model = model
        self._sitter = Sitter(model, filmed.camera, config.maps)
        self._scenes: Kept[int, Scene] = Kept(_HELD)

    @property
    def count(self) -> int:
        """Pairs of a photo and a row."""
        return len(self._photos) * len(self._rows)

    def take(self, number: int, length: int = 1) -> Take:
        """A photo, and rows from one on; there may be fewer at the end.

        Args:
            number: of the pair.
            length: of rows at most.
        """
        first, photo = divmod(number, len(self._photos))
        rows = self._rows[first : first + min(length, self.longest)]
        return self.album(album_from(self._photos, photo, self._together, rows), rows)

    def album(self, photos: Sequence[int], rows: Sequence[int]) -> Take:
        """Photos, and frames to make of them.

        Args:
            photos: numbers of frames.
            rows: numbers of frames.
        """
        filmed, scenes = self._filmed, [self._scene(row) for row in rows]
        chosen = list(rows)
        return Take(
            tuple(self._reference(photo, scenes) for photo in photos),
            window=torch.stack([self._window(row) for row in rows]),
            frame=torch.stack([signed(filmed.pictures[row])[0] for row in rows]),
            matte=matte_share(filmed.mattes[chosen]),
            mouth=torch.cat([self._sitter.mouth(scene) for scene in scenes]),
            style=style_of(self._sitter, self._scene(photos[0]), scenes, self._config),
            person=filmed.name,
            clip=filmed.name,
            named=torch.cat([taught_of(self._model, scene.parameters) for scene in scenes]),
        )

    def _reference(self, photo: int, scenes: Sequence[Scene]) -> Reference:
        filmed, source = self._filmed, self._scene(photo)
        matte = matte_share(filmed.mattes[photo][None])
        priors = [self._sitter.prior(source, scene) for scene in scenes]
        return reference_of(
            signed(filmed.pictures[photo]), self._sitter.maps(source), matte, priors
        )

    def _window(self, row: int) -> Float[Tensor, "C S S"]:
        """Maps of the frames about a row; beyond the ends stand the first and the last."""
        last = self._filmed.parameters.frames - 1
        near = (min(max(row + offset, 0), last) for offset in self._config.offsets)
        return window_of(self._sitter, [self._scene(frame) for frame in near])

    def _scene(self, frame: int) -> Scene:
        return self._scenes.get(frame, lambda: self._sitter.scene(self._filmed.parameters[frame]))


def album_from(
    photos: Sequence[_P], first: int, count: int, without: Sequence[_P] = ()
) -> tuple[_P, ...]:
    """One of the photos of a person and the next ones, from the first again after the last.

    Args:
        photos: of the person.
        first: place of the one that comes first.
        count: how many; where there are fewer, some come again.
        without: photos that come later at most if there are too few others.
    """
    turned = [*photos[first:], *photos[:first]]
    rest = [photo for photo in turned[1:] if photo not in without]
    rest = rest or turned
    return (turned[0], *(rest[k % len(rest)] for k in range(count - 1)))


def reference_of(
    photo: Float[Tensor, "1 3 S S"],
    maps: Float[Tensor, "1 S S C"],
    matte: Float[Tensor, "1 1 S S"],
    priors: Sequence[FlowPrior],
) -> Reference:
    """The reference that a photo is for some frames.

    Args:
        photo: from -1 to 1.
        maps: of it.
        matte: of it.
        priors: what `Sitter.prior` says of each frame.
    """
    flow = torch.cat([prior.flow for prior in priors]).permute(0, 3, 1, 2)
    valid = torch.cat([prior.valid for prior in priors])[:, None]
    return Reference(photo, maps.permute(0, 3, 1, 2), matte, flow, valid)


def style_of(
    sitter: Sitter, photo: Scene, frames: Sequence[Scene], config: GeneratorConfig
) -> Float[Tensor, "T N"]:
    """What the heads tell of the style of some frames: gaze and key points; the rest is silent.

    Motion has no place in it: a generator reads that off the frames themselves.

    Args:
        sitter: who draws them.
        photo: one frame.
        frames: to make.
        config: of the generator.
    """
    parts = [torch.zeros(len(frames), 0)]
    for name, count in zip(config.style, config.style_sizes, strict=True):
        if name == "points":
            many = [sitter.points(photo, frame, count // NUMBERS) for frame in frames]
            parts.append(torch.cat(many))
        elif name == "gaze":
            gaze = [frame.parameters.gaze.flatten(1) for frame in frames]
            parts.append(torch.cat(gaze)[:, :count])
        elif name != "motion":
            parts.append(torch.zeros(len(frames), count))
    return torch.cat(parts, dim=1)


def taught_of(model: MorphableModel, faces: FaceParameters) -> Float[Tensor, "T N"]:
    """What the first numbers of a latent motion are taught to be, of frames that were fitted.

    Args:
        model: of the heads.
        faces: of the frames.
    """
    return taught_values(named_values(faces), names_of(model))


def window_of(sitter: Sitter, scenes: Sequence[Scene]) -> Float[Tensor, "C S S"]:
    """Maps of some frames, one after the other, channels first.

    Args:
        sitter: who draws them.
        scenes: of one frame each.
    """
    return torch.cat([sitter.maps(scene)[0].permute(2, 0, 1) for scene in scenes])


def signed(picture: UInt8[Tensor, "S S 3"]) -> Float[Tensor, "1 3 S S"]:
    """A picture as generators have it: from -1 to 1, channels first."""
    return to_signed(picture.permute(2, 0, 1)[None])


def matte_share(values: UInt8[Tensor, "T S S"]) -> Float[Tensor, "T 1 S S"]:
    """Mattes of bytes as shares."""
    return values[:, None].float() / 255
