"""One person of a video, from frame to frame: tracked, predicted, lost, found again."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.linear import fit_linear
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.video.frame import Memory, Solved, Tools, solve_frame, tools_for
from morphface.fit.video.looks import Likeness
from morphface.fit.video.person import Person
from morphface.fit.video.points import spots_of
from morphface.fit.video.result import TrackedFace
from morphface.fit.video.settings import VideoSettings
from morphface.fit.video.state import State, state_of
from morphface.landmarks import Landmarks
from morphface.landmarks.boxes import Box, box_of
from morphface.media.video import Frame
from morphface.parameters import LOST, PREDICTED, TRACKED, FaceParameters, Reason

__all__ = ["Actor"]

_COASTING = 0.8  # share of the velocity that is left after each frame without landmarks
_BLIND_FRAMES = 3  # that are carried on where there are no pixels to agree
_AGREES = 1.3  # times the usual difference of colours, at least the camera's noise: pixels agree
_STRANGE = 2.0  # times the usual one: the colours are unexplained
_LEAST_STRANGE = 0.08
_WORSE = 1.5  # times the usual one, where that is large already
_ODD = 1.5  # times the usual landmark error, ...
_LEAST_ODD = 0.01  # ... at least this, from which it may be somebody else
_LIKENESS = 0.2  # correlation of brightness below which what is there is no face at all
_LEAST_SEEN = 0.25  # share of the skin that must be seen
_USUAL = 0.1  # share of a frame in what is usual
_KEPT = 6  # frames with unexplained colours that are kept to see the person anew
_RENEWALS = 2  # how often at most that is tried
_NOWHERE = (math.nan,) * 4


@dataclass(eq=False)
class Actor:
    """Follows one person.

    Landmarks decide whether the person is there. Pixels are a witness: where they are unexplained,
    the frame is fitted to its landmarks alone, unless nothing in them looks like a face.

    Args:
        person: who it is.
        likeness: by what the person is known again.
        settings: of tracking.
    """

    person: Person
    likeness: Likeness
    settings: VideoSettings

    def __post_init__(self) -> None:
        self.memory: Memory | None = None
        self.state = LOST
        self.reason = Reason.NO_FACE
        self.source = -1
        self.missed = 0
        self.box: Box = _NOWHERE
        self.unexplained: list[tuple[Frame, Landmarks]] = []
        self._renewals = 0
        self._scheme = ""
        self.become(self.person)

    def become(self, person: Person) -> None:
        """The same person, known better; motion goes on."""
        self.person = person
        self.tools: Tools = tools_for(person, self.settings)
        self._usual, self._nme, self._odd = person.rmse, person.nme, False
        self.unexplained.clear()
        if self.memory is not None:  # what hides whom was known by the points of the skin
            self.memory = replace(self.memory, open=None)

    @property
    def active(self) -> bool:
        """Whether the person was there in the last frame."""
        return self.state != LOST

    @property
    def wants_renewal(self) -> bool:
        """Whether enough frames show the person otherwise than known."""
        return len(self.unexplained) >= _KEPT and self._renewals < _RENEWALS

    def renew(self, person: Person) -> None:
        """Take what was found in the frames that show the person otherwise, if it is better."""
        self._renewals += 1
        self.unexplained.clear()
        if person.converged and person.coloured(self.settings):
            self.become(person)

    def forget(self) -> None:
        """Another shot begins: where the person was says nothing."""
        self.state, self.source = LOST, -1

    def resume(self, state: State, time: float, box: Box) -> None:
        """Begin where the person was seen.

        Args:
            state: of the person.
            time: of that frame, in seconds.
            box: of the face.
        """
        self.memory, self.state, self.box = Memory(state, time), TRACKED, box

    def track(
        self,
        frame: Frame,
        landmarks: Landmarks,
        source: int,
        stranger: Callable[[], bool] | None = None,
    ) -> TrackedFace | None:
        """The person with these landmarks, or None if that is not what the frame shows.

        Args:
            frame: the frame.
            landmarks: of a face in it.
            source: who follows that face.
            stranger: whether it is somebody else's face; asked where it fits worse all at once.
        """
        self._scheme = landmarks.scheme
        memory = self.memory if self.active and self.memory else self._found(frame, landmarks)
        if memory is None:
            self.reason = Reason.LANDMARKS
            return None
        solved = solve_frame(self.tools, memory, frame.photo, landmarks, frame.time)
        self.reason = self._judged(solved)
        if self._turned_odd(solved) and stranger is not None and stranger():
            self.reason = Reason.ANOTHER
            self.forget()
            return None
        if self.reason == Reason.COLOURS:
            self.unexplained = [*self.unexplained, (frame, landmarks)][-_KEPT:]
            rmse, blind = solved.rmse, replace(self.tools, skin=None)
            solved = solve_frame(blind, memory, frame.photo, landmarks, frame.time)
            solved = replace(solved, rmse=rmse)
        elif self.reason != Reason.NOTHING:
            return None
        else:
            self.unexplained.clear()
        self._keep(solved, TRACKED, landmarks.box)
        self.source, self.missed = source, 0
        return self._face(solved, landmarks)

    def miss(self, frame: Frame) -> TrackedFace:
        """The person in a frame in which nobody found the face."""
        self.missed += 1
        solved = self._carried_on(frame) if self.active else None
        if solved is None:
            self.state = LOST
            return self.lost()
        self.reason = Reason.NOTHING
        self._keep(solved, PREDICTED, box_of(self._spots(solved.state)))
        return self._face(solved, None)

    def lost(self) -> TrackedFace:
        """The person as last seen."""
        return TrackedFace(self.person, LOST, self._parameters(), _NOWHERE, reason=self.reason)

    def _found(self, frame: Frame, landmarks: Landmarks) -> Memory | None:
        """Where to begin when the person comes into sight."""
        person = self.person
        fit = fit_linear(
            person.model,
            landmarks,
            size=frame.photo.size,
            focal=float(person.camera.focal),
            camera=self.settings.camera,
        )
        if not fit.landmark_nme <= self.settings.largest_nme:
            return None
        state = replace(state_of(fit.parameters), light=to_numpy(person.illumination))
        return Memory(state, frame.time - 1.0)

    def _carried_on(self, frame: Frame) -> Solved | None:
        """The person where the motion goes on, if the pixels agree."""
        memory, pixels = self.memory, self.tools.skin is not None
        longest = self.settings.predicted_frames
        if not pixels:
            longest = min(longest, _BLIND_FRAMES)
        if memory is None or self.missed > longest:
            return None
        seconds = frame.time - memory.time
        velocity = np.zeros(6) if memory.velocity is None else memory.velocity * _COASTING
        step = np.zeros(self.tools.span.width)
        step[:6] = velocity * seconds
        moved = replace(memory, state=memory.state.moved(step), velocity=velocity)
        solved = solve_frame(self.tools, moved, frame.photo, None, frame.time)
        usual = max(self._usual, self.settings.photometric.camera_noise)
        if pixels and (solved.rmse > _AGREES * usual or solved.share < _LEAST_SEEN):
            return None
        spots = self._spots(solved.state)
        height, width = frame.photo.size
        inside = ((spots >= 0) & (spots < spots.new_tensor([width, height]))).all(dim=1)
        return solved if float(inside.float().mean()) > 0.5 else None

    def _judged(self, solved: Solved) -> Reason:
        """Why the fit does not explain the frame, or what of it it does not explain."""
        settings = self.settings
        if not solved.nme <= settings.largest_nme:
            return Reason.LANDMARKS
        if math.isnan(solved.rmse):
            return Reason.NOTHING
        if solved.likeness < _LIKENESS:
            return Reason.NO_LIKENESS
        strange = max(_STRANGE * self._usual, _LEAST_STRANGE)
        usual = solved.rmse <= min(strange, max(settings.largest_rmse, _WORSE * self._usual))
        return Reason.NOTHING if usual else Reason.COLOURS

    def _turned_odd(self, solved: Solved) -> bool:
        """Whether landmarks or colours fit worse all at once, as where somebody else is seen."""
        odd = self.reason == Reason.COLOURS or solved.nme > _ODD * max(self._nme, _LEAST_ODD)
        before, self._odd = self._odd, odd
        self._nme += _USUAL * (solved.nme - self._nme)
        return odd and not before

    def _keep(self, solved: Solved, state: int, box: Box) -> None:
        self.memory, self.state, self.box = solved.memory, state, box
        if self.reason == Reason.NOTHING and state == TRACKED and not math.isnan(solved.rmse):
            self._usual += _USUAL * (solved.rmse - self._usual)

    def _face(self, solved: Solved, landmarks: Landmarks | None) -> TrackedFace:
        predicted = solved.predicted
        return TrackedFace(
            person=self.person,
            state=self.state,
            parameters=self._parameters(),
            box=self.box,
            landmarks=landmarks,
            predicted=None if predicted is None else torch.from_numpy(predicted).float(),
            landmark_nme=solved.nme,
            photometric_rmse=solved.rmse,
            reason=self.reason,
        )

    def _spots(self, state: State) -> Float[Tensor, "N 2"]:
        return torch.from_numpy(spots_of(self.person, self._scheme, state)).float()

    def _parameters(self) -> FaceParameters:
        person = self.person
        if self.memory is not None:
            return self.memory.state.parameters(person.identity, person.reflectance)
        return replace(
            FaceParameters.neutral(
                identity=person.identity.shape[1],
                expression=person.model.expression.rank,
                reflectance=person.reflectance.shape[1],
            ),
            identity=person.identity,
            reflectance=person.reflectance,
        )
