"""A photo that a one-shot generator brings to life, in the role of a run of one person."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from morphface.core.errors import MissingFileError, ModelError
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.generate.checkpoint import load_generator
from morphface.generate.config import GeneratorConfig
from morphface.generate.fast import quickened
from morphface.generate.reference import Reference
from morphface.generate.stream import stream_frames
from morphface.landmarks.boxes import box_of
from morphface.media.crop import Crop
from morphface.media.images import PictureSource, name_of
from morphface.parameters import FaceParameters, Track
from morphface.pipelines.oneshot.clip import reference_of, signed
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.pipelines.reenact.run import GENERATOR, Made, Run
from morphface.pipelines.reenact.target import Target
from morphface.render import Conditions, Sitter
from morphface.render.maps import CHANNELS
from morphface.render.maps.scene import Scene
from morphface.render.sight import Sight
from morphface.segment import person_matte, working_size

__all__ = ["PhotoRun", "open_photo", "photo_run", "weights_at"]

_GAZE = "gaze"
"""The part of a style that parameters tell of; others, such as sound, are silent."""


@dataclass(frozen=True, eq=False)
class PhotoRun(Run):
    """A generator of anybody, and whom a photo shows.

    Args:
        photo: the crop, from -1 to 1.
        matte: where the person is in it.
        sitter: draws heads before the crop's camera.
        scene: the head as it is in the photo.
    """

    photo: Float[Tensor, "1 3 S S"]
    matte: Float[Tensor, "1 1 S S"]
    sitter: Sitter
    scene: Scene

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
        known = self._conditions(parameters)
        maps, moves, shown = tee(known, 3)
        styles = (self._style(parameters[k]) for k in range(parameters.frames))
        made = stream_frames(
            self.generator,
            (one.maps[0].permute(2, 0, 1) for one in maps),
            batch=batch,
            references=([self._reference(one)] for one in moves),
            styles=styles if self.config.style_dim else None,
        )
        for frame, one in zip(made, shown, strict=True):
            yield Made(frame.permute(1, 2, 0), self._named(one))

    def seen(self, parameters: FaceParameters) -> Float[Tensor, "S S"]:
        """Where a frame shows what the photo shows: 1 there, 0 where it was made up.

        Args:
            parameters: of the frame.
        """
        return next(self._conditions(parameters)).prior.valid[0]

    def _conditions(self, parameters: FaceParameters) -> Iterator[Conditions]:
        for k in range(parameters.frames):
            yield self.sitter.between(self.scene, self.sitter.scene(parameters[k]))

    def _reference(self, frame: Conditions) -> Reference:
        return reference_of(self.photo, self._own_maps, self.matte, [frame])

    @property
    def _own_maps(self) -> Float[Tensor, "1 S S C"]:
        return self.sitter.maps(self.scene)

    def _named(self, frame: Conditions) -> dict[str, UInt8[Tensor, "S S C"]]:
        """The maps of a frame by name."""
        parts = frame.maps[0].split([CHANNELS[name] for name in self.sitter.names], dim=-1)
        bytes_ = ((part.clamp(0, 1) * 255).round().to(torch.uint8) for part in parts)
        return dict(zip(self.sitter.names, bytes_, strict=True))

    def _style(self, face: FaceParameters) -> Float[Tensor, " N"]:
        """What the parameters tell of each part of the style."""
        parts = []
        for name, count in zip(self.config.style, self.config.style_sizes, strict=True):
            known = face.gaze.flatten() if name == _GAZE else torch.zeros(count)
            parts.append(known[:count])
        return torch.cat(parts)


def open_photo(
    photo: PictureSource,
    generator: str | Path,
    *,
    progress: Progress | None = None,
    **wishes: object,
) -> PhotoRun:
    """Fit a photo, and open the generator that shall move it.

    Args:
        photo: a picture, as of `fit_photo`.
        generator: the folder of a run of a one-shot generator, or its file of weights.
        progress: is told what begins now.
        wishes: other arguments of `fit_photo`; one face is taken.

    Raises:
        MissingFileError: there is no such generator.
        ModelError: it is none of a one-shot kind.
        MorphfaceError: as of `fit_photo`.
    """
    weights = weights_at(Path(generator))
    made = load_generator(weights)
    known: Wishes = wishes  # type: ignore[assignment]  # refused by `fit_photo` where they are odd
    found = fit_photo(photo, progress=progress, **known)
    return photo_run(found, weights.parent, made, name=name_of(photo))


def photo_run(
    found: FittedPhoto, folder: Path, generator: torch.nn.Module, *, name: str = ""
) -> PhotoRun:
    """A fitted photo in the role of a run.

    Args:
        found: the photo, and the face that is moved, the first.
        folder: of the generator.
        generator: as it was trained.
        name: of the photo.

    Raises:
        ModelError: the generator is none of a one-shot kind, or knows another model.
    """
    config: GeneratorConfig = generator.config  # type: ignore[assignment]  # of every generator
    face = found.faces[0]
    _check(folder, config, face)
    side = config.resolution
    crop = Crop.around(box_of(face.predicted), side)
    camera = crop.camera(face.camera)
    sitter = Sitter(face.model, camera, config.maps)
    target = Target(
        Track.unmeasured(face.parameters, camera, torch.zeros(1, dtype=torch.float64)),
        crop,
        face.model.name,
        config,
        {"name": name, "sha256": "", "path": "", "whole": True},
        found.photo,
    )
    pixels = (crop.apply(found.photo.pixels, fill=0.5) * 255).round().to(torch.uint8)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return PhotoRun(
        folder,
        quickened(generator.eval().to(device)),
        config,
        target,
        face.model,
        signed(pixels),
        _matte(found, crop),
        sitter,
        sitter.scene(face.parameters),
    )


def weights_at(path: Path) -> Path:
    """The file of weights of a generator.

    Args:
        path: of the file, or of the folder of its run.

    Raises:
        MissingFileError: there is none.
    """
    file = path / GENERATOR if path.is_dir() else path
    if not file.is_file():
        raise MissingFileError(
            f"there is no generator at {path}; name the folder that `morphface train headgan` wrote"
        )
    return file


def _check(folder: Path, config: GeneratorConfig, face: FittedFace) -> None:
    if config.kind == "dvp":
        raise ModelError(
            f"{folder} holds a dvp generator, which knows one person only; a photo needs one of "
            "`morphface train headgan`"
        )
    if config.model and config.model != face.model.name:
        raise ModelError(
            f"{folder} was made for the model {config.model!r}, the photo is fitted with "
            f"{face.model.name!r}"
        )


def _matte(found: FittedPhoto, crop: Crop) -> Float[Tensor, "1 1 S S"]:
    """Where the person is in the crop."""
    face = found.faces[0]
    sight = Sight(
        found.photo.pixels, face.camera, face.vertices_in_camera().detach(), face.model.faces
    )
    work = working_size(sight)
    matte = person_matte(sight, work)
    share = work.scale
    there = Crop(crop.left * share, crop.top * share, crop.side * share, crop.size)
    return there.apply(torch.from_numpy(matte).float()[..., None])[None, ..., 0][None]
