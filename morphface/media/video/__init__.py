"""Video in and out: frames with their true times, upright, in the right colours, and sound."""

from morphface.media.video.opening import read_video
from morphface.media.video.reader import Frame, Video
from morphface.media.video.writer import VideoWriter

__all__ = ["Frame", "Video", "VideoWriter", "read_video"]
