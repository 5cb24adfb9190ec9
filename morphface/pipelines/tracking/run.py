"""Running the tracker over a video: drawing meanwhile, and ending early where that is asked for."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from morphface.fit.video import (
    TrackCollector,
    TrackedFrame,
    VideoSettings,
    fit_video,
    look_back,
)
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.video import Frame, Video, VideoWriter
from morphface.media.video.webcam import Webcam
from morphface.models import MorphableModel
from morphface.parameters import Track
from morphface.pipelines.photo import Progress
from morphface.pipelines.tracking.behind import Behind
from morphface.pipelines.tracking.live import Screen
from morphface.pipelines.tracking.overlay import OverlayPainter, Person, Shown
from morphface.pipelines.tracking.stopping import stoppable

__all__ = ["Advance", "TrackingRun"]

Advance = Callable[[int, int | None], None]
"""Is told after each frame how many are done, and about how many there are, if that is known."""

_CANDIDATES = (8, 32)
"""Least and most frames among which those are chosen that a person's shape comes from."""
_CANDIDATE_BYTES = 512 * 2**20
_Drawn = tuple[Frame, tuple[Person, ...]]


class TrackingRun:
    """One video on its way through the tracker.

    Args:
        source: the video.
        model: of all people.
        settings: of the tracker.
        overlay: where to draw it; None draws nothing.
    """

    def __init__(
        self,
        source: Video | Webcam,
        model: MorphableModel,
        settings: VideoSettings,
        overlay: Path | None,
    ) -> None:
        self.source, self.model, self.settings = source, model, settings
        self.interrupted = False
        self.warnings: list[str] = []
        self.seconds: dict[str, float] = {}
        self._overlay = overlay
        self._collector = TrackCollector()
        self._painter = OverlayPainter(model, source.size)

    def follow(self, tell: Progress, advance: Advance, *, draw: bool) -> None:
        """Track all frames, or until the user ends it.

        Args:
            tell: is told what begins now.
            advance: is told how many frames are done.
            draw: whether to write the overlay meanwhile; a webcam's is written in any case.
        """
        began = time.perf_counter()
        live = isinstance(self.source, Webcam)
        with ExitStack() as stack:
            stop = stack.enter_context(stoppable())
            order = stack.enter_context(self._drawing()) if draw or live else lambda _: None
            screen = stack.enter_context(Screen()) if live else None
            frames = stack.enter_context(closing(self._frames(tell)))
            tell("tracking")
            for tracked in frames:
                self._collector.add(tracked)
                stop.begun = True
                self._clock(tracked)
                advance(self._collector.frames, self.source.frames)
                order((tracked.frame, tracked.faces))
                if stop.asked or not self._shown(screen, tracked):
                    break
            self.interrupted = stop.asked
        self.seconds["all"] = time.perf_counter() - began
        if screen is not None and screen.reason:
            self.warnings.append(f"{screen.reason}, so the webcam was not shown")
        if self.source.truncated:
            self.warnings.append("the video is cut off or damaged; what decodes of it was tracked")

    def look_back(self, tell: Progress) -> bool:
        """Look for people where they were lost before they were seen; whether any was found.

        Args:
            tell: is told what begins now.
        """
        if not isinstance(self.source, Video) or self.interrupted:
            return False
        tell("looking back")
        began = time.perf_counter()
        with MediaPipeDetector() as detector:
            found = look_back(self.source, self._collector, self.settings, detector)
        self.seconds["look back"] = time.perf_counter() - began
        return found > 0

    def tracks(self) -> dict[int, Track]:
        """The track of each person who is seen.

        Raises:
            NoFaceError: there is nobody; the message says why, as far as that is known.
        """
        return self._collector.tracks()

    def draw_again(self, tracks: dict[int, Track], tell: Progress) -> None:
        """Write the overlay of tracks that were changed since; not that of a webcam."""
        if self._overlay is None or isinstance(self.source, Webcam):
            return
        tell("drawing")
        rows = {int(index): row for row, index in enumerate(next(iter(tracks.values())).indices)}
        with self._drawing() as order:
            for frame in self.source:
                if frame.index not in rows:
                    break
                row = rows[frame.index]
                order((frame, tuple(_shown(track, row, n) for n, track in tracks.items())))

    def _frames(self, tell: Progress) -> Generator[TrackedFrame, None, None]:
        keys, settings = None, self.settings
        if isinstance(self.source, Video):
            tell("looking over the video")
            height, width = self.source.size
            count = _CANDIDATE_BYTES // (15 * height * width)  # bytes and floats of a frame
            keys = self.source.spread(max(_CANDIDATES[0], min(count, _CANDIDATES[1])))
        else:
            settings = replace(settings, ahead=1)
        frames = fit_video(
            self.source, self.model, key_frames=keys, settings=settings, progress=tell
        )
        return cast("Generator[TrackedFrame, None, None]", frames)

    @contextmanager
    def _drawing(self) -> Iterator[Callable[[_Drawn], None]]:
        """What draws a frame and the people in it, in a thread of its own."""
        if self._overlay is None:
            yield lambda _: None
            return
        source = self.source
        every = source.every if isinstance(source, Video) else 1
        with VideoWriter(
            self._overlay,
            self._painter.size,
            source.rate / every,
            sound_from=source if isinstance(source, Video) and source.has_sound else None,
        ) as writer:
            if writer.sound_missing:
                self.warnings.append(f"the overlay has no sound: {writer.sound_missing}")

            def draw(item: _Drawn) -> None:
                frame, people = item
                writer.write(self._painter.draw(frame.photo, people), frame.time)

            with Behind(draw) as behind:
                yield behind.put

    def _shown(self, screen: Screen | None, tracked: TrackedFrame) -> bool:
        """Whether to go on, having shown the frame on the screen, if there is one."""
        if screen is None or screen.reason:
            return True
        return screen.show(self._painter.draw(tracked.frame.photo, tracked.faces))

    def _clock(self, tracked: TrackedFrame) -> None:
        for name, value in tracked.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + value


def _shown(track: Track, row: int, number: int) -> Shown:
    return Shown(track.parameters[row : row + 1], track.camera, int(track.states[row]), number)
