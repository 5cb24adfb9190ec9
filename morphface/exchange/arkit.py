"""A face in the curves of ARKit: 52 weights and the turns of head and eyes, frame by frame.

Any model has them by projection; the open head has the weights themselves. The files that hold
them are `live_link.py` and `arkit_json.py`.
"""

from dataclasses import dataclass, replace
from math import radians

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import ParameterError, ShapeError
from morphface.core.records import Record
from morphface.edit import ARKIT_NAMES
from morphface.edit.weights import with_weights
from morphface.geometry.angles import angles_to_rotvec, rotvec_to_angles
from morphface.geometry.camera import Camera
from morphface.models import MorphableModel
from morphface.models.conversion import arkit_weights
from morphface.parameters import LOST, TRACKED, FaceParameters, Track

__all__ = ["LOOKS", "ArkitCurves", "arkit_curves", "gaze_of_look", "track_of_curves"]

LOOKS = ("gaze", "fitted")
"""Where the eight `eyeLook` weights come from."""

_LOOK_FULL = radians(35.0)
"""The gaze at an `eyeLook` weight of 1: 1.64 a radian in a recording of the app."""
_LOOK_NAMES = tuple(
    f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("Out", "In", "Up", "Down")
)
_VIEW = (720, 1280)  # height and width of the camera of curves, which know none


@dataclass(frozen=True, eq=False)
class ArkitCurves(Record):
    """What ARKit says of a face in T frames.

    Args:
        times: in seconds.
        weights: from 0 to 1, in the order of `ARKIT_NAMES`.
        head: yaw, pitch and roll in radians, in the signs of the package.
        gaze: (yaw, pitch) of the left and the right eye in radians, likewise.
        seen: whether the face was seen in the frame; where not, values are the last ones.

    Raises:
        ShapeError: frames differ in number.
        ParameterError: a value is not finite, or a weight is not from 0 to 1.
    """

    times: Float[Tensor, " T"]
    weights: Float[Tensor, "T 52"]
    head: Float[Tensor, "T 3"]
    gaze: Float[Tensor, "T 2 2"]
    seen: Bool[Tensor, " T"]

    def __post_init__(self) -> None:
        if self.times.ndim != 1 or not len(self.times):
            raise ShapeError(f"times must be one a frame, got shape {tuple(self.times.shape)}")
        frames = len(self.times)
        check_shape("weights", self.weights, frames, len(ARKIT_NAMES))
        check_shape("head", self.head, frames, 3)
        check_shape("gaze", self.gaze, frames, 2, 2)
        check_shape("seen", self.seen, frames)
        for name in ("times", "weights", "head", "gaze"):
            check_finite(name, getattr(self, name))
        low, high = float(self.weights.min()), float(self.weights.max())
        if low < 0 or high > 1:
            raise ParameterError(f"weights must be from 0 to 1, got {low if low < 0 else high:g}")

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.times)

    def curve(self, name: str) -> Float[Tensor, " T"]:
        """The weights of one of the `ARKIT_NAMES`."""
        return self.weights[:, ARKIT_NAMES.index(name)]


def arkit_curves(
    parameters: FaceParameters,
    model: MorphableModel,
    *,
    times: Float[Tensor, " T"] | None = None,
    seen: Bool[Tensor, " T"] | None = None,
    look: str = "gaze",
) -> ArkitCurves:
    """The curves of a fitted face.

    Args:
        parameters: of the face.
        model: that they belong to; one without ARKit's names is projected onto the open head.
        times: of the frames in seconds; None: 25 a second.
        seen: in which frames the face was seen; None: in all.
        look: where the eight `eyeLook` weights come from. ARKit's follow the eyes, and avatars
            turn their eyes by them: "gaze". What a fit calls by these names are the lids, which
            each person holds differently: "fitted".

    Raises:
        ParameterError: `look` is unknown.
        ShapeError: `times` or `seen` has not one value a frame.
        ModelError: as in `convert_parameters`.
    """
    if look not in LOOKS:
        raise ParameterError(f"look must be one of {', '.join(LOOKS)}, got {look!r}")
    frames = parameters.frames
    found = arkit_weights(parameters, model)
    if look == "gaze":
        followed = (_looking(parameters.gaze) / _LOOK_FULL).clamp(0.0, 1.0)
        found |= dict(zip(_LOOK_NAMES, followed.T, strict=True))
    weights = torch.stack([found[name] for name in ARKIT_NAMES], dim=-1)
    return ArkitCurves(
        times=torch.arange(frames, dtype=torch.float64) / 25 if times is None else times.double(),
        weights=weights.clamp(0.0, 1.0),
        head=rotvec_to_angles(parameters.rotation),
        gaze=parameters.gaze,
        seen=torch.ones(frames, dtype=torch.bool) if seen is None else seen,
    )


def track_of_curves(curves: ArkitCurves, model: MorphableModel) -> Track:
    """A track that moves as the curves say: the mean face of `model`, before a usual camera.

    Args:
        curves: of a face.
        model: any model; one without ARKit's names shows what comes nearest to each of them.

    Raises:
        ModelError: as in `convert_parameters`.
    """
    frames = curves.frames
    weights = dict(zip(ARKIT_NAMES, curves.weights.T, strict=True))
    moved = with_weights(model.neutral(frames), model, weights, additive=True)
    head = replace(moved, rotation=angles_to_rotvec(curves.head), gaze=curves.gaze)
    states = torch.where(curves.seen, TRACKED, LOST)
    return Track.unmeasured(head, Camera.facing(_VIEW), curves.times, states)


def gaze_of_look(curves: ArkitCurves) -> ArkitCurves:
    """The curves with the gaze that their `eyeLook` weights stand for."""
    out, inward, up, down = (
        torch.stack([curves.curve(name) for name in _LOOK_NAMES[way::4]], dim=-1)
        for way in range(4)
    )
    yaw = (out - inward) * out.new_tensor([1.0, -1.0])
    return replace(curves, gaze=torch.stack([yaw, up - down], dim=-1) * _LOOK_FULL)


def _looking(gaze: Float[Tensor, "T 2 2"]) -> Float[Tensor, "T 8"]:
    """How far each eye looks out, in, up and down, in radians, as `_LOOK_NAMES` are ordered."""
    yaw, pitch = gaze.unbind(-1)
    out = yaw * yaw.new_tensor([1.0, -1.0])
    return torch.stack([out, -out, pitch, -pitch], dim=-1).flatten(1)
