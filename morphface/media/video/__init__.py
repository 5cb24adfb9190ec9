"""Video in and out: frames with their true times, upright, in the right colours, and sound."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
    from morphface.media.video.opening import read_video
    from morphface.media.video.reader import Frame, Video
    from morphface.media.video.writer import VideoWriter


__all__ = ["Frame", "Video", "VideoWriter", "read_video"]

_HOMES = {
    "Frame": "reader",
    "Video": "reader",
    "VideoWriter": "writer",
    "read_video": "opening",
}

__getattr__ = lazy_names(__name__, _HOMES)
