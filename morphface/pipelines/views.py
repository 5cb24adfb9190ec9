"""A photo in, the photo with the head turned or the face edited out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from morphface.core.errors import OutputError
from morphface.media.images import PictureSource, can_write, name_of, write_image
from morphface.pipelines.marks import made_note, write_made
from morphface.pipelines.stage import Changes, Options, stage_of, stem_of, tell_doubt

__all__ = ["edit_photo", "view_photo"]


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
            writes `synthetic` into a corner; the file's metadata always says so, and which share
            of the head the photo shows. `force` draws
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


def _edited(
    image: PictureSource, place: Path, changes: Changes, options: Mapping[str, Any]
) -> Path:
    stage = stage_of(image, changes, options)
    tell = options.get("progress") or (lambda _: None)
    stage.check(stage.wanted, force=options.get("force", False))
    tell("drawing")
    pixels, sure = stage.draw(stage.wanted)
    shares = [stage.shown(wanted, k, sure) for k, wanted in enumerate(stage.wanted)]
    lying, label, other = stage.lying, options.get("label", False), options.get("confidence")
    note = made_note(name_of(image), shown=min(shares))
    write_made(place, stage.upright(pixels), note, label=label, photo=lying)
    if other is not None:
        write_image(other, stage.upright(sure.expand(-1, -1, 3).contiguous()))
    tell_doubt(shares, options)
    return place


def _place(image: PictureSource, out: str | Path | None, kind: str) -> Path:
    """Where the picture goes, if one can be written under that name."""
    place = Path(out or f"{stem_of(image)}-{kind}.png")
    if not can_write(place):
        raise OutputError(f"cannot write {place}: the suffix must be that of a picture, as .png")
    if place.resolve() == Path(name_of(image)).resolve():
        raise OutputError(f"cannot write to {place}: it is the photo itself; choose another name")
    return place
