"""A second look at the frames in which somebody was lost, from those that came after, backwards.

Who comes into the light, turns to the camera or is known only later is found where they came from.
A clip must be read again for it, so it is for files and not for cameras.
"""

from collections import deque
from collections.abc import Iterable, Sequence

import torch

from morphface.core.threads import one_torch_thread
from morphface.fit.shared.threads import one_thread
from morphface.fit.video.actor import Actor
from morphface.fit.video.collect import TrackCollector
from morphface.fit.video.looks import Likeness
from morphface.fit.video.settings import VideoSettings
from morphface.fit.video.state import state_of
from morphface.fit.video.watch import see_square, square_around
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import Box, overlap
from morphface.landmarks.detectors import LandmarkDetector
from morphface.media.images import Photo
from morphface.media.video import Frame

__all__ = ["look_back"]

_FARTHEST = 50  # frames before somebody is seen that are looked at
_PATIENCE = 10  # frames in a row without the person after which it is given up
_AROUND = 3.0  # sizes of the face around where it was
_LARGE = 0.25  # of the picture: a face above is looked for in all of it
_TAKEN = 0.3  # overlap from which a face is that of another person
_SAME = 0.1  # overlap of boxes from which it is the same face


def look_back(
    frames: Iterable[Frame],
    collector: TrackCollector,
    settings: VideoSettings,
    detector: LandmarkDetector,
) -> int:
    """Looks for people in the frames before they were seen; how many frames that found.

    Args:
        frames: of the video, once more; not read where nothing is missing.
        collector: what was found; it is completed.
        settings: of the tracker.
        detector: finds faces in parts of frames.
    """
    gaps = [(number, gap) for number in collector.seen() for gap in collector.gaps(number)]
    if not gaps:
        return 0
    last = max(gap.stop for _, gap in gaps)
    found, kept = 0, deque[Frame](maxlen=_FARTHEST)
    with torch.no_grad(), one_thread(), one_torch_thread():
        for row, frame in enumerate(frames):
            for number, gap in [(number, gap) for number, gap in gaps if gap.stop == row]:
                before = list(kept)[-len(gap) :]
                found += _Backward(collector, number, settings, detector).follow(before, row)
            kept.append(frame)
            if row >= last:
                break
    return found


class _Backward:
    """Follows one person backwards."""

    def __init__(
        self,
        collector: TrackCollector,
        number: int,
        settings: VideoSettings,
        detector: LandmarkDetector,
    ) -> None:
        self._collector, self._number, self._detector = collector, number, detector
        person = collector.people[number]
        self._actor = Actor(person, Likeness(person.identity[0]), settings)

    def follow(self, frames: Sequence[Frame], row: int) -> int:
        """How many of the frames that end before a row show the person."""
        after = self._collector.track(self._number)[row]
        box: Box = tuple(after.boxes[0].tolist())
        self._actor.resume(state_of(after.parameters), -float(after.times[0]), box)
        found = missed = 0
        for k, frame in enumerate(reversed(frames)):
            mirrored = Frame(frame.photo, frame.index, -frame.time)
            face = self._look(frame, self._actor.box, row - 1 - k)
            tracked = None if face is None else self._actor.track(mirrored, face, 0)
            missed = 0 if tracked else missed + 1
            if tracked is not None:
                found += 1
                self._collector.replace(self._number, row - 1 - k, tracked)
            if missed > _PATIENCE:
                break
        return found

    def _look(self, frame: Frame, box: Box, row: int) -> Landmarks | None:
        """The face nearest to a box that nobody else has."""

        def see(photo: Photo, _: float | None) -> list[Landmarks]:
            return self._detector.detect(photo)

        large = max(box[2] - box[0], box[3] - box[1]) >= _LARGE * max(frame.photo.size)
        square = square_around(box, _AROUND)
        faces = see(frame.photo, None) if large else see_square(frame.photo, square, see, None)
        taken = self._collector.occupied(self._number, row)
        near = [
            face
            for face in faces
            if overlap(face.box, box) > _SAME
            and all(overlap(face.box, other) < _TAKEN for other in taken)
        ]
        return max(near, key=lambda face: overlap(face.box, box), default=None)
