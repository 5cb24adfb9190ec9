"""What is written for other programs: a face in some frames, with its model and its camera."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ShapeError
from morphface.geometry.camera import Camera, to_camera
from morphface.models import MorphableModel
from morphface.parameters import LOST, FaceParameters, Track

__all__ = ["Clip"]

_RATE = 25.0


@dataclass(frozen=True, eq=False)
class Clip:
    """One person in T frames.

    Args:
        parameters: of the face.
        camera: one for all frames.
        model: that the parameters belong to.
        times: of the frames, in seconds.
        indices: number of each frame in its video, from 0.
        seen: whether the face was seen in the frame; where not, values are the last ones.

    Raises:
        ShapeError: there is more than one camera, or not one time, index and mark a frame.
        ParameterError: a time is not finite.
    """

    parameters: FaceParameters
    camera: Camera
    model: MorphableModel
    times: Float[Tensor, " T"]
    indices: Int[Tensor, " T"]
    seen: Bool[Tensor, " T"]

    def __post_init__(self) -> None:
        for name in ("times", "indices", "seen"):
            check_shape(name, getattr(self, name), self.frames)
        check_finite("times", self.times)
        if self.camera.focal.numel() != 1:
            raise ShapeError(f"camera must be one, got {self.camera.focal.numel()}")

    @classmethod
    def of(
        cls,
        face: Track | FaceParameters,
        model: MorphableModel,
        camera: Camera | None = None,
    ) -> "Clip":
        """The frames of a track; those of parameters follow each other 25 times a second.

        Args:
            face: who it is.
            model: that the parameters belong to.
            camera: of parameters, which have none; None: one of 720 x 1280 pixels.
        """
        if isinstance(face, Track):
            seen = face.states != LOST
            return cls(face.parameters, face.camera, model, face.times, face.indices, seen)
        indices = torch.arange(face.frames)
        chosen = camera or Camera.facing((720, 1280))
        times = indices.double() / _RATE
        return cls(face, chosen, model, times, indices, torch.ones(face.frames, dtype=torch.bool))

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.parameters.frames

    @property
    def rate(self) -> float:
        """Frames a second, by the median step."""
        steps = self.times.diff()
        step = float(steps.median()) if len(steps) else 0.0
        return 1 / step if step > 0 else _RATE

    def vertices(self, frame: int) -> Float[Tensor, "V 3"]:
        """The face of a frame in the model frame, in millimetres."""
        face = self.parameters[frame]
        return self.model.vertices(face.identity, face.expression, face.gaze)[0]

    def vertices_in_camera(self, frame: int) -> Float[Tensor, "V 3"]:
        """The face of a frame in the camera frame, in millimetres."""
        face = self.parameters[frame]
        return to_camera(self.vertices(frame), face.rotation[0], face.translation[0])
