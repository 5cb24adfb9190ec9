"""A photo in, a video out in which its head swings from side to side."""

import math
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.lookahead import computed_ahead
from morphface.edit import edit
from morphface.media.images import Photo, PictureSource, name_of
from morphface.parameters import FaceParameters
from morphface.pipelines.marks import labelled, made_tags
from morphface.pipelines.stage import Changes, Options, Stage, stage_of, stem_of, tell_doubt

if TYPE_CHECKING:
    from morphface.media.video import VideoWriter

__all__ = ["orbit_photo"]

LONGEST = 720
"""Pixels along the longer side of an orbit's video."""
RATE = 25.0
"""Frames of it in a second."""
_SWINGS = 1.0, 80.0


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
        options: as in `view_photo`; `confidence` is another video.

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
    place, sure = Path(out or f"{stem_of(image)}-orbit.mp4"), options.get("confidence")
    for video in (place, *([] if sure is None else [sure])):
        VideoWriter(video, (2, 2), RATE)  # refuses a wrong suffix before any work is done
    changes = changes or Changes()
    half = max(round(seconds * RATE / 2), 1)
    middle = changes.get("yaw") or 0.0
    yaws = [middle - swing * math.cos(math.pi * k / half) for k in range(half + 1)]
    stage = stage_of(image, {**changes, "yaw": None}, options, LONGEST)
    turned = [
        [edit(base, model=face.model, yaw=yaw) for base, face in zip(*stage.all, strict=True)]
        for yaw in yaws
    ]
    stage.check(list(chain(*turned)), force=options.get("force", False))
    with ExitStack() as files:
        tags = made_tags(name_of(image))
        writers = [
            files.enter_context(VideoWriter(video, stage.size, RATE, tags=tags))
            for video in (place, *([] if sure is None else [sure]))
        ]
        shares = _swung(stage, turned, writers, options)
    tell_doubt(shares, options)
    return place


def _swung(
    stage: Stage,
    turned: list[list[FaceParameters]],
    writers: "list[VideoWriter]",
    options: Mapping[str, Any],
) -> list[float]:
    """Writes an orbit, and its confidence if there is a second file; what the photo shows of it."""
    tell = options.get("progress") or (lambda _: None)
    frames: list[list[Tensor]] = []
    shares: list[float] = []
    for number, (drawn, sure) in enumerate(computed_ahead(stage.draw, turned)):
        tell(f"drew frame {number + 1} of {len(turned)}")
        shares += [stage.shown(wanted, k, sure) for k, wanted in enumerate(turned[number])]
        pixels = stage.upright(drawn)
        pixels = labelled(pixels) if options.get("label") else pixels
        both = (pixels, stage.upright(sure.expand(-1, -1, 3).contiguous()))[: len(writers)]
        frames.append([Photo(each).to_uint8() for each in both])
    for made in (*frames, *frames[-2:0:-1]):
        for writer, frame in zip(writers, made, strict=True):
            writer.write(frame)
    return shares
