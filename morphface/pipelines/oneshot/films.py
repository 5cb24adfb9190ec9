"""One photo, any driver: videos of whom a photo shows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from morphface.edit import TransferSettings
from morphface.edit.settings import find_settings
from morphface.media.images import PictureSource, name_of
from morphface.pipelines.oneshot.run import open_photo
from morphface.pipelines.photo import Progress
from morphface.pipelines.reenact.driver import read_driver
from morphface.pipelines.reenact.film import check_out
from morphface.pipelines.reenact.films import driven_film
from morphface.pipelines.reenact.look import Look

__all__ = ["photo_settings", "reenact_photo"]

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
    settings: str | TransferSettings = "reenact",
    compare: bool = False,
    label: bool = True,
    crop_only: bool = False,
    sound: str = "driver",
    model: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make whom a photo shows do what a driver does.

    Args:
        photo: a picture with a face, the largest of which moves.
        driver: a video, or what `morphface track` wrote of one.
        out: the video to write. It always says in its metadata that it is synthesised.
        generator: the folder of a run of `morphface train headgan`.
        settings: as in `morphface.edit.transfer`; a mode by name smooths the head's place.
        compare: as in `reenact_video`.
        label: as in `reenact_video`.
        crop_only: as in `reenact_video`.
        sound: of the "driver" or "none".
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
    source = name_of(photo)
    check_out(place, [driver, source if Path(source).is_file() else None], look)
    opened = open_photo(photo, generator, progress=tell)
    moves = read_driver(driver, opened, model=model, progress=tell)
    return driven_film(opened, moves, chosen, place, look, tell=tell)
