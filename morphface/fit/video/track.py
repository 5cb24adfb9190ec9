"""From the frames of a video to its people, frame by frame, as a stream.

After Deep Video Portraits (Kim et al. 2018, section 4): identity, reflectance and camera come
from some frames and are kept; the rest is tracked. Detection runs ahead in a thread of its own.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch

from morphface.core.errors import ParameterError
from morphface.core.threads import one_torch_thread
from morphface.fit.shared.threads import one_thread
from morphface.fit.video.actor import Actor
from morphface.fit.video.ahead import Ahead
from morphface.fit.video.cast import Cast
from morphface.fit.video.groups import group_people, likeness
from morphface.fit.video.keys import Candidate, candidate_of, choose_keys, person_of
from morphface.fit.video.person import Person
from morphface.fit.video.result import TrackedFrame
from morphface.fit.video.settings import VideoSettings
from morphface.fit.video.watch import Follow, Seen, Watch, find_all
from morphface.geometry.focal import FocalLength
from morphface.landmarks import Landmarks
from morphface.landmarks.detectors import LandmarkDetector
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.search import search_faces
from morphface.media.video import Frame
from morphface.models import MorphableModel

__all__ = ["Progress", "fit_video"]

Progress = Callable[[str], None]
"""Is told in a few words what begins now."""

_SEARCHED = 12  # key frames that are searched for small faces where none show a large one


def fit_video(
    frames: Iterable[Frame],
    model: MorphableModel,
    *,
    key_frames: Sequence[Frame] | None = None,
    settings: VideoSettings | None = None,
    detector: LandmarkDetector | None = None,
    progress: Progress | None = None,
) -> Iterator[TrackedFrame]:
    """Everybody in a video, frame by frame; nothing is kept of frames that were yielded.

    A person's identity, reflectance and camera come from key frames, chosen among `key_frames`,
    or among the first frames that show them. Then each frame gives expression, pose, illumination
    and gaze.

    Args:
        frames: of the video, in order; taken in another thread, a few ahead.
        model: any morphable model with landmarks of the detector's scheme.
        key_frames: candidates, spread over the video, such as `video.spread(32)`; None takes the
            first frames, as one does with a stream.
        settings: choices and weights; None takes the defaults.
        detector: finds faces in whole frames and in parts of them; None takes MediaPipe, which
            then follows each face with a detector of its own.
        progress: is told what begins now.

    Raises:
        ParameterError: there are `key_frames`, but of different sizes.
        ModelError: the model lacks landmarks of the detector's scheme.
        MissingDependencyError: no detector is given, and mediapipe is not installed.
    """
    settings = settings or VideoSettings()
    if len({frame.photo.size for frame in key_frames or ()}) > 1:
        raise ParameterError("key_frames must have the size of the video, got several sizes")
    return _stream(frames, _Studio(model, settings, detector, progress), list(key_frames or ()))


def _stream(
    frames: Iterable[Frame], studio: "_Studio", keys: list[Frame]
) -> Iterator[TrackedFrame]:
    with studio:
        studio.meet(keys)
        keys.clear()
        with Ahead(frames, studio.watch, studio.settings.ahead) as found:
            queue = _Queue(found)
            while (seen := queue.next()) is not None:
                yield studio.play(seen, queue)


class _Queue:
    """Results of detection, of which the next ones may be looked at before their turn."""

    def __init__(self, found: Iterator[Seen]) -> None:
        self._found = found
        self._pending: deque[Seen] = deque()
        self.waited = 0.0

    def next(self) -> Seen | None:
        """The next frame; None after the last one."""
        self.waited = 0.0
        return self._pending.popleft() if self._pending else self._take()

    def coming(self, count: int) -> list[Seen]:
        """The next frames, at most so many, which keep their turn."""
        while len(self._pending) < count:
            seen = self._take()
            if seen is None:
                break
            self._pending.append(seen)
        return list(self._pending)[:count]

    def _take(self) -> Seen | None:
        began = time.perf_counter()
        seen = next(self._found, None)
        self.waited += time.perf_counter() - began
        return seen


class _Studio:
    """Who looks, who is known, and how far the video is."""

    def __init__(
        self,
        model: MorphableModel,
        settings: VideoSettings,
        detector: LandmarkDetector | None,
        progress: Progress | None,
    ) -> None:
        self.model, self.settings = model, settings
        self.tell = progress or (lambda _: None)
        self._own: list[MediaPipeDetector] = []
        self._finder = self._made(follow=False) if detector is None else detector
        self.watch = Watch(self._finder, self._follower if detector is None else None, settings)
        self.cast = Cast(model, settings.people)
        self._shot = 0

    def __enter__(self) -> "_Studio":
        return self

    def __exit__(self, *_: object) -> None:
        for detector in self._own:
            detector.close()

    def _made(self, *, follow: bool) -> MediaPipeDetector:
        detector = MediaPipeDetector(follow=follow)
        self._own.append(detector)
        return detector

    def _follower(self) -> Follow:
        detector = self._made(follow=True)
        return lambda photo, now: detector.detect(photo, time=now)

    def meet(self, keys: Sequence[Frame]) -> None:
        """The people of the key frames."""
        if not keys:
            return
        self.tell("looking for faces in key frames")
        with _calm():
            faces = [(frame, find_all(frame.photo, self._finder, self.settings)) for frame in keys]
            if not any(found for _, found in faces):
                faces = [
                    (f, search_faces(f.photo, self._finder, profiles=False))
                    for f in keys[:: _thin(len(keys))]
                ]
            focal = self.settings.focal
            frames = [
                self._candidates([(frame, face) for face in found], focal) for frame, found in faces
            ]
            for group in group_people(frames, self.settings.people):
                self._admit(group)

    def _admit(self, faces: list[Candidate]) -> bool:
        """Another person, if the frames show one."""
        number = len(self.cast.actors)
        self.tell(f"fitting person {number} to key frames")
        person = self._modelled(number, faces, self.settings)
        if person.converged:
            self.cast.admit(Actor(person, likeness(faces), self.settings))
            self.tell("tracking")
        return person.converged

    def _modelled(self, number: int, faces: list[Candidate], settings: VideoSettings) -> Person:
        return person_of(number, self.model, choose_keys(faces, settings.key_frames), settings)

    def play(self, seen: Seen, queue: _Queue) -> TrackedFrame:
        """Everybody in the next frame."""
        self._shot += seen.cut
        seconds = {"detect": seen.seconds, "wait": queue.waited}
        with _calm():
            began = time.perf_counter()
            for index in self.cast.newcomers(seen):
                self._audition(seen, index, queue)
            seconds["people"] = time.perf_counter() - began
            began = time.perf_counter()
            faces = self.cast.play(seen)
            seconds["fit"] = time.perf_counter() - began
            for actor in self.cast.actors:
                if actor.wants_renewal:
                    self._renew(actor)
        return TrackedFrame(seen.frame, faces, self._shot, seconds)

    def _audition(self, seen: Seen, index: int, queue: _Queue) -> None:
        """Looks at the next frames of somebody new, to find out who it is."""
        source = seen.sources[index]
        frames = [(seen.frame, seen.faces[index])]
        for later in queue.coming(self.settings.first_frames - 1):
            if later.cut:
                break
            if source in later.sources:
                frames.append((later.frame, later.faces[later.sources.index(source)]))
        faces = self._candidates(frames, self.settings.focal)
        if self.cast.full or self.cast.known(likeness(faces)) or not self._admit(faces):
            self.cast.refuse(source)

    def _renew(self, actor: Actor) -> None:
        """Sees a person anew whose colours are unexplained: the first frames showed them badly."""
        focal = float(actor.person.camera.focal)
        faces = self._candidates(actor.unexplained, focal)
        settings = replace(self.settings, focal=focal)
        actor.renew(self._modelled(actor.person.number, faces, settings))

    def _candidates(
        self, frames: Sequence[tuple[Frame, Landmarks]], focal: FocalLength | None
    ) -> list[Candidate]:
        camera = self.settings.camera
        return [candidate_of(self.model, frame, face, focal, camera) for frame, face in frames]


def _thin(count: int) -> int:
    """Every which of so many key frames is searched thoroughly, which takes long."""
    return max(1, count // _SEARCHED)


@contextmanager
def _calm() -> Iterator[None]:
    """One thread, and no gradients: the matrices are small."""
    with torch.no_grad(), one_thread(), one_torch_thread():
        yield
