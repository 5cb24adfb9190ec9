"""One photo, any driver: videos of whom a photo shows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from morphface.edit import TransferSettings
from morphface.edit.settings import find_settings
from morphface.media.images import PictureSource, name_of
from morphface.pipelines.actors import is_video
from morphface.pipelines.oneshot.latent import LatentRun, latent_film
from morphface.pipelines.oneshot.run import open_photo
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact.driver import read_driver
from morphface.pipelines.reenact.film import check_out
from morphface.pipelines.reenact.films import driven_film, read_keys, scripted_film
from morphface.pipelines.reenact.look import Look

__all__ = ["animate_photo", "photo_settings", "reenact_photo"]

_SMOOTH = 15
"""Frames of the box that smooths where the head is (Head2Head and HeadGAN)."""


def photo_settings(
    settings: str | TransferSettings, *, expression: str | None = None
) -> TransferSettings:
    """What a transfer onto a photo does.

    The head turns as the driver's does, about the place where the photo has it: scale and
    translation are shifted by their means and smoothed. Settings that are given in full stay.

    Args:
        settings: a mode by name, or in full.
        expression: "relative" adds the driver's change of expression to the photo's, "absolute"
            takes the driver's; None leaves that to the settings.

    Raises:
        ParameterError: there is no such mode, or no such way.
    """
    chosen = find_settings(settings)
    if not isinstance(settings, TransferSettings) and chosen.translation.how != "keep":
        chosen = replace(chosen, translation=replace(chosen.translation, smooth=_SMOOTH))
    if expression is None:
        return chosen
    return replace(chosen, expression=replace(chosen.expression, how=expression))


def reenact_photo(
    photo: PictureSource,
    driver: str | Path,
    out: str | Path,
    *,
    generator: str | Path,
    more: Sequence[PictureSource] = (),
    settings: str | TransferSettings = "reenact",
    compare: bool = False,
    label: bool = True,
    crop_only: bool = False,
    sound: str = "driver",
    motion: str = "relative",
    model: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make whom a photo shows do what a driver does.

    Args:
        photo: a picture with a face, the largest of which moves.
        driver: a video, or what `morphface track` wrote of one.
        out: the video to write. It always says in its metadata that it is synthesised.
        generator: the folder of a run of `morphface train` of a one-shot kind.
        more: pictures of the same person, for generators that look at several.
        settings: as in `morphface.edit.transfer`; a mode by name smooths the head's place.
        compare: as in `reenact_video`.
        label: as in `reenact_video`.
        crop_only: as in `reenact_video`.
        sound: of the "driver" or "none".
        motion: of generators that look at the driver's frames and not at a track of them: what
            they see, "relative" to the first frame or "absolute". Settings do not matter then.
        model: where the driver's model is, if it is not known by its name.
        progress: is told what begins now.

    Returns:
        As `reenact_video`.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    tell = progress or (lambda _: None)
    chosen, place = photo_settings(settings), Path(out)
    look = Look(compare=compare, label=label, crop_only=crop_only, sound=sound)
    check_out(place, [driver, *_files(photo, more)], look)
    opened = open_photo(photo, generator, more=more, progress=tell)
    if isinstance(opened, LatentRun) and is_video(str(driver)):
        return latent_film(opened, Path(driver), place, look, motion=motion, tell=tell)
    moves = read_driver(driver, opened, model=model, progress=tell)
    return driven_film(opened, moves, chosen, place, look, tell=tell)


def animate_photo(
    photo: PictureSource,
    script: str | Path | Sequence[dict[str, Any]],
    out: str | Path,
    *,
    generator: str | Path,
    more: Sequence[PictureSource] = (),
    compare: bool = False,
    label: bool = True,
    crop_only: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make whom a photo shows do what key frames say.

    Args:
        photo: as in `reenact_photo`.
        script: as in `animate_video`.
        out: the video to write. It always says in its metadata that it is synthesised.
        generator: as in `reenact_photo`.
        more: as in `reenact_photo`.
        compare: as in `reenact_video`.
        label: as in `reenact_video`.
        crop_only: as in `reenact_video`.
        progress: is told what begins now.

    Returns:
        As `animate_video`.

    Raises:
        MorphfaceError: the subclass and its message say what is wrong.
    """
    keys = read_keys(script, "none")
    look = Look(compare=compare, label=label, crop_only=crop_only, sound="none")
    check_out(Path(out), [keys.file, *_files(photo, more)], look)
    tell = progress or (lambda _: None)
    opened = open_photo(photo, generator, more=more, progress=progress)
    return scripted_film(opened, keys, Path(out), look, tell=tell)


def _files(photo: PictureSource, more: Sequence[PictureSource]) -> list[str | Path | None]:
    """Those of the pictures that are files."""
    names = [name_of(each) for each in (photo, *more)]
    return [name for name in names if Path(name).is_file()]
