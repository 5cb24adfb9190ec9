"""Photos of a person whom a one-shot generator brings to life: opened and fitted."""

from collections.abc import Sequence
from pathlib import Path

import torch

from morphface.core.errors import MissingFileError, ModelError
from morphface.fit.fitted import FittedFace, FittedPhoto
from morphface.generate.bridge import BRIDGE, load_bridge
from morphface.generate.checkpoint import load_generator
from morphface.generate.config import GeneratorConfig
from morphface.generate.fast import quickened
from morphface.generate.needs import check_photos, needs_of
from morphface.media.images import PictureSource, name_of
from morphface.parameters import Track
from morphface.pipelines.oneshot.latent import LatentRun
from morphface.pipelines.oneshot.people import PhotoRun
from morphface.pipelines.oneshot.sitting import crop_of, sitting_of
from morphface.pipelines.photo import Progress, Wishes, fit_photo
from morphface.pipelines.reenact.run import GENERATOR
from morphface.pipelines.reenact.target import Target

__all__ = ["open_photo", "photo_run", "weights_at"]


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
    if not needs_of(config).driving:
        return PhotoRun(*parts)
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
    needs = needs_of(config)
    if needs.driving and needs.maps:
        raise ModelError(
            f"{folder} finds key points by the rasterizer's depth, which frames of a driver have "
            "not; train with --keypoints learned and --depth learned"
        )
    if needs.fit and config.model and config.model != face.model.name:
        raise ModelError(
            f"{folder} was made for the model {config.model!r}, the photo is fitted with "
            f"{face.model.name!r}"
        )
