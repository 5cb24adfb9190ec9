"""Whom photos show, in the role of a run, and what a generator is told of each frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import tee

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from morphface.generate.reference import Reference
from morphface.generate.stream import stream_frames
from morphface.parameters import FaceParameters
from morphface.pipelines.oneshot.clip import style_of
from morphface.pipelines.oneshot.sitting import Sitting
from morphface.pipelines.reenact.run import Made, Run
from morphface.render.maps import CHANNELS
from morphface.render.prior import FlowPrior

__all__ = ["PhotoRun", "Told"]


@dataclass(frozen=True, eq=False)
class Told:
    """What a generator is told of a frame.

    Args:
        maps: of it.
        priors: the flow into each photo.
        style: what else drives it.
    """

    maps: Float[Tensor, "1 S S C"]
    priors: tuple[FlowPrior, ...]
    style: Float[Tensor, " N"]


@dataclass(frozen=True, eq=False)
class PhotoRun(Run):
    """A generator of anybody, and whom photos show.

    Args:
        photos: of one person; the head is where it is in the first.
    """

    photos: tuple[Sitting, ...]

    @property
    def of_photo(self) -> bool:
        """It is: the generator has seen other people, in more poses than the photo's."""
        return True

    def frames(self, parameters: FaceParameters, *, batch: int = 1) -> Iterator[Made]:
        """As of `Run`: the photo is encoded once, and memory does not grow with the frames.

        Args:
            parameters: of consecutive frames, of the photo's person, for its crop's camera.
            batch: frames that are made in one go.

        Raises:
            ParameterError: the parameters are those of another model, or `batch` is below 1.
        """
        maps, moves, styles, shown = tee(self._told(parameters), 4)
        made = stream_frames(
            self.generator,
            (one.maps[0].permute(2, 0, 1) for one in maps),
            batch=batch,
            references=(self._references(one) for one in moves),
            styles=(one.style for one in styles) if self.config.style_dim else None,
        )
        for frame, one in zip(made, shown, strict=True):
            yield Made(frame.permute(1, 2, 0), self._named(one))

    def seen(self, parameters: FaceParameters) -> Float[Tensor, "S S"]:
        """Where a frame shows what a photo shows: 1 there, 0 where it was made up.

        Args:
            parameters: of the frame.
        """
        told = next(self._told(parameters))
        return torch.stack([prior.valid[0] for prior in told.priors]).amax(0)

    def _told(self, parameters: FaceParameters) -> Iterator[Told]:
        first, sitter = self.photos[0].scene, self.photos[0].sitter
        for k in range(parameters.frames):
            scene = sitter.scene(parameters[k])
            priors = tuple(sitter.prior(photo.scene, scene) for photo in self.photos)
            style = style_of(sitter, first, [scene], self.config)[0]
            yield Told(sitter.maps(scene), priors, style)

    def _references(self, frame: Told) -> list[Reference]:
        pairs = zip(self.photos, frame.priors, strict=True)
        return [photo.reference(prior) for photo, prior in pairs]

    def _named(self, frame: Told) -> dict[str, UInt8[Tensor, "S S C"]]:
        """The maps of a frame by name."""
        names = self.config.maps
        parts = frame.maps[0].split([CHANNELS[name] for name in names], dim=-1)
        bytes_ = ((part.clamp(0, 1) * 255).round().to(torch.uint8) for part in parts)
        return dict(zip(names, bytes_, strict=True))
