"""Frames of a face that speaks, written beside the sound of its speech."""

from pathlib import Path

from morphface.core.errors import ParameterError
from morphface.fit.fitted import FittedPhoto
from morphface.media.video import VideoWriter
from morphface.parameters import Track
from morphface.pipelines.actors import Actor
from morphface.pipelines.marks import labelled, made_tags
from morphface.pipelines.photo import Progress
from morphface.pipelines.speak.wishes import Showing
from morphface.rerender import Rerenderer
from morphface.rerender.shrink import shrunk

__all__ = ["film_photo"]


def film_photo(
    actor: Actor, track: Track, sound: Path, out: Path, *, showing: Showing, tell: Progress
) -> tuple[int, int]:
    """Draw a photo as its person speaks; the size of the frames.

    Args:
        actor: of a photo.
        track: what they do.
        sound: what is heard.
        out: the film to write.
        showing: how it looks.
        tell: is told how far it is.

    Raises:
        ParameterError: the actor is not of a photo.
        OutputError: the film cannot be written.
    """
    if actor.face is None or actor.photo is None:
        raise ParameterError(
            f"{actor.path} has no picture to draw; name the photo, or write a track (.npz)"
        )
    found = FittedPhoto(actor.photo, (actor.face,))
    found = found if showing.size is None else shrunk(found, showing.size)
    stage = Rerenderer(found.faces[0], found.photo)
    rate = 1.0 / float(track.times.diff().median()) if track.frames > 1 else 25.0
    tags = made_tags(actor.path)
    with VideoWriter(out, found.photo.size, rate, sound_from=sound, tags=tags) as writer:
        for k in range(track.frames):
            tell(f"drawing frame {k + 1} of {track.frames}")
            pixels = stage(track.parameters[k])
            writer.write(labelled(pixels) if showing.label else pixels, float(track.times[k]))
    return found.photo.size
