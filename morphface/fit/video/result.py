"""What tracking returns: frame by frame, all people, as a stream."""

import math
from dataclasses import dataclass, field

from jaxtyping import Float
from torch import Tensor

from morphface.core.records import Record
from morphface.fit.video.person import Person
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.media.video import Frame
from morphface.parameters import LOST, FaceParameters, Reason

__all__ = ["TrackedFace", "TrackedFrame"]


@dataclass(frozen=True, eq=False)
class TrackedFace(Record):
    """One person in one frame.

    Args:
        person: who it is; the same object in all frames.
        state: TRACKED, PREDICTED or LOST.
        parameters: of the frame; where the person is lost, those last seen.
        box: left, top, right and bottom of the face in pixels; NaN where it is lost.
        landmarks: that were detected, or None.
        predicted: where the fitted face has them, in pixels; None where none were detected.
        landmark_nme: landmark error as in `FitResult`; NaN where none were detected.
        photometric_rmse: difference of colours; NaN where pixels were not asked.
        reason: why the person is lost, or what is odd about the frame.
    """

    person: Person
    state: int
    parameters: FaceParameters
    box: tuple[float, float, float, float]
    landmarks: Landmarks | None = None
    predicted: Float[Tensor, "N 2"] | None = None
    landmark_nme: float = math.nan
    photometric_rmse: float = math.nan
    reason: Reason = Reason.NOTHING

    @property
    def number(self) -> int:
        """Of the person, from 0, in order of appearance."""
        return self.person.number

    @property
    def camera(self) -> Camera:
        """That takes the video."""
        return self.person.camera

    @property
    def seen(self) -> bool:
        """Whether the face is there: tracked, or predicted."""
        return self.state != LOST


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """One frame of a video, and everybody known so far.

    Args:
        frame: the frame.
        faces: one for each person, by number; people who are lost are among them.
        shot: number of the shot, from 0.
        seconds: how long "detect", "people", "fit" and "wait" took.
    """

    frame: Frame
    faces: tuple[TrackedFace, ...]
    shot: int
    seconds: dict[str, float] = field(default_factory=dict)
