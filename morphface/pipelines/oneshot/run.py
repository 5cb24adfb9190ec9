"""Photos of a person whom a one-shot generator brings to life, in the role of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from morphface.core.errors import MissingFileError, ModelError
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.generate.bridge import BRIDGE, load_bridge
from morphface.generate.checkpoint import load_generator
from morphface.generate.config import GeneratorConfig
from morphface.generate.fast import quickened
from morphface.generate.needs import check_photos, needs_of
from morphface.generate.reference import Reference
from morphface.generate.stream import stream_frames
from morphface.media.images import PictureSource, name_of
from morphface.parameters import FaceParameters, Track
from morphface.pipelines.oneshot.clip import style_of
from morphface.pipelines.oneshot.sitting import Sitting, crop_of, sitting_of
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.pipelines.reenact.run import GENERATOR, Made, Run
from morphface.pipelines.reenact.target import Target
from morphface.render.maps import CHANNELS
from morphface.render.prior import FlowPrior

__all__ = ["PhotoRun", "Told", "open_photo", "photo_run", "weights_at"]


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


def open_photo(
    photo: PictureSource,
    generator: str | Path,
    *,
    more: Sequence[PictureSource] = (),
    progress: Progress | None = None,
    **wishes: object,
) -> PhotoRun:
    """Fit photos of a person, and open the generator that shall move them.

    Args:
        photo: a picture, as of `fit_photo`.
        generator: the folder of a run of a one-shot generator, or its file of weights.
        more: pictures of the same person, for generators that look at several.
        progress: is told what begins now.
        wishes: other arguments of `fit_photo`; one face is taken.

    Raises:
        MissingFileError: there is no such generator.
        ModelError: it is none of a one-shot kind.
        ParameterError: it does not look at so many photos.
        MorphfaceError: as of `fit_photo`.
    """
    weights = weights_at(Path(generator))
    made = load_generator(weights)
    config: GeneratorConfig = made.config  # type: ignore[assignment]  # of every generator
    check_photos(config.kind, 1 + len(more))
    known: Wishes = wishes  # type: ignore[assignment]  # refused by `fit_photo` where they are odd
    found = [fit_photo(one, progress=progress, **known) for one in (photo, *more)]
    return photo_run(found[0], weights.parent, made, name=name_of(photo), others=found[1:])


def photo_run(
    found: FittedPhoto,
    folder: Path,
    generator: torch.nn.Module,
    *,
    name: str = "",
    others: Sequence[FittedPhoto] = (),
) -> PhotoRun:
    """Fitted photos in the role of a run.

    Args:
        found: the photo, and the face that is moved, the first.
        folder: of the generator.
        generator: as it was trained.
        name: of the photo.
        others: photos of the same person, the first face of each.

    Raises:
        ModelError: the generator is none of a one-shot kind, or knows another model; or photos are
            fitted with different models.
        ParameterError: it does not look at so many photos.
    """
    config: GeneratorConfig = generator.config  # type: ignore[assignment]  # of every generator
    face, side = found.faces[0], config.resolution
    _check(folder, config, face)
    check_photos(config.kind, 1 + len(others))
    photos = [sitting_of(each, side, config.maps, like=found) for each in (found, *others)]
    crop = crop_of(found, side)
    target = Target(
        Track.unmeasured(
            face.parameters, photos[0].sitter.camera, torch.zeros(1, dtype=torch.float64)
        ),
        crop,
        face.model.name,
        config,
        {"name": name, "sha256": "", "path": "", "whole": True},
        found.photo,
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    quick = quickened(generator.eval().to(device))
    parts = folder, quick, config, target, face.model, tuple(photos)
    if not needs_of(config.kind).driving:
        return PhotoRun(*parts)
    from morphface.pipelines.oneshot.latent import LatentRun

    kept = folder / BRIDGE
    return LatentRun(*parts, load_bridge(kept) if kept.is_file() else None)


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
            f"there is no generator at {path}; name the folder that `morphface train` wrote"
        )
    return file


def _check(folder: Path, config: GeneratorConfig, face: FittedFace) -> None:
    if config.kind == "dvp":
        raise ModelError(
            f"{folder} holds a dvp generator, which knows one person only; a photo needs "
            "another one of `morphface train`"
        )
    if config.maps and config.model and config.model != face.model.name:
        raise ModelError(
            f"{folder} was made for the model {config.model!r}, the photo is fitted with "
            f"{face.model.name!r}"
        )
