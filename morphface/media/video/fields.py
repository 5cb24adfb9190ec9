"""Interlaced video: frames woven of two moments become frames of one.

FFmpeg's filter bwdif does it, one frame for one, with the motion of the frames around. Which frames
are woven is what each says of itself, or what its container says of all.
"""

from collections import deque
from collections.abc import Iterator

import av
from av.filter import Graph
from av.video.frame import VideoFrame

__all__ = ["WOVEN", "unwoven"]

WOVEN = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}
"""FFmpeg's field orders of interlaced streams, by which field is shown first."""


def unwoven(frames: Iterator[VideoFrame], order: int) -> Iterator[VideoFrame]:
    """The frames, those that are interlaced without their combs; times and number stay.

    Args:
        frames: as they were decoded.
        order: the field order that the container states, as FFmpeg numbers it.
    """
    weaver: _Unweaver | None = None
    for frame in frames:
        if weaver is not None and not weaver.takes(frame):
            yield from weaver.rest()
            weaver = None
        if weaver is None and (frame.interlaced_frame or order in WOVEN):
            weaver = _Unweaver(frame, order)
        if weaver is None:
            yield frame
        else:
            yield from weaver.given(frame)
    if weaver is not None:
        yield from weaver.rest()


class _Unweaver:
    """The filter, set up for frames like the first one."""

    def __init__(self, first: VideoFrame, order: int) -> None:
        parity = WOVEN.get(order, "auto")  # frames without a note of it seem to have bff
        which = "interlaced" if first.interlaced_frame else "all"
        settings = f"mode=send_frame:parity={parity}:deint={which}"
        self._kind = (first.width, first.height, first.format.name)
        self._waiting: deque[tuple[int | None, int]] = deque()
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=first.width,
            height=first.height,
            format=first.format,
            time_base=first.time_base,
        )
        self._graph.link_nodes(
            source, self._graph.add("bwdif", settings), self._graph.add("buffersink")
        ).configure()

    def takes(self, frame: VideoFrame) -> bool:
        """Whether the frame is like the first one."""
        return self._kind == (frame.width, frame.height, frame.format.name)

    def given(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        """What is ready once the filter has seen `frame`."""
        self._waiting.append((frame.pts, frame.duration))
        self._graph.vpush(frame)
        yield from self._ready()

    def rest(self) -> Iterator[VideoFrame]:
        """What is ready once there are no more frames."""
        self._graph.vpush(None)
        yield from self._ready()

    def _ready(self) -> Iterator[VideoFrame]:
        while self._waiting:
            try:
                frame = self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            frame.pts, frame.duration = self._waiting.popleft()
            yield frame
