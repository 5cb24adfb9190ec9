"""Frames of a face that speaks, written beside the sound of its speech."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import ParameterError
from morphface.core.lookahead import computed_ahead
from morphface.fit.fitted import FittedPhoto
from morphface.media.video import VideoWriter
from morphface.parameters import Track
from morphface.pipelines.actors import Actor
from morphface.pipelines.marks import labelled, made_tags
from morphface.pipelines.photo import Progress
from morphface.rerender import Rerenderer
from morphface.rerender.shrink import shrunk

__all__ = ["drawn_frames", "write_film"]


def drawn_frames(
    actor: Actor, track: Track, size: int | None, tell: Progress
) -> Iterator[Float[Tensor, "H W 3"]]:
    """A photo as its person speaks, frame by frame.

    Args:
        actor: of a photo.
        track: what they do.
        size: pixels along the longer side, at most; None is that of the photo.
        tell: is told how far it is.

    Raises:
        ParameterError: the actor is not of a photo.
    """
    if actor.face is None or actor.photo is None:
        raise ParameterError(
            f"{actor.path} has no picture to draw; name the photo, or write a track (.npz)"
        )
    found = FittedPhoto(actor.photo, (actor.face,))
    found = found if size is None else shrunk(found, size)
    stage = Rerenderer(found.faces[0], found.photo)
    looks = (track.parameters[k] for k in range(track.frames))
    for k, pixels in enumerate(computed_ahead(stage, looks)):
        tell(f"drew frame {k + 1} of {track.frames}")
        yield pixels


def write_film(
    out: Path,
    frames: Iterator[Float[Tensor, "H W 3"]],
    rate: float,
    *,
    sound: Path,
    portrait: str,
    label: bool,
) -> str:
    """Write frames beside a sound, with what says that they were made; why there is no sound.

    Args:
        out: the film to write.
        frames: at least one.
        rate: frames a second.
        sound: what is heard.
        portrait: the file that the frames were made from.
        label: whether the word `synthetic` is in a corner of them.

    Raises:
        OutputError: the film cannot be written.
    """
    first = next(frames)
    size = (first.shape[0], first.shape[1])
    tags = made_tags(portrait)
    with VideoWriter(out, size, rate, sound_from=sound, tags=tags) as writer:
        for pixels in chain([first], frames):
            writer.write(labelled(pixels) if label else pixels)
    return writer.sound_missing
