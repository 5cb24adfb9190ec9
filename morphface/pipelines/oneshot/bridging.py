"""Parameters with names for generators whose motion has none."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from morphface.edit.named import named_values, names_of
from morphface.edit.pose import turned_to
from morphface.generate.bridge import MotionBridge, fit_bridge
from morphface.geometry.angles import angles_to_rotvec, rotvec_to_angles
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["Posed", "best_found", "bridge_of", "moved_by"]


@runtime_checkable
class Posed(Protocol):
    """Pictures of which parameters are known."""

    def posed(self, count: int) -> Iterator[tuple[Float[Tensor, "1 3 S S"], FaceParameters]]:
        """About so many pictures, from -1 to 1, and the parameters of each; people together."""


def moved_by(
    face: FaceParameters, change: Float[Tensor, "T P"], model: MorphableModel
) -> FaceParameters:
    """A face whose values change; it turns about its neck.

    Args:
        face: one frame.
        change: of its values in each frame, in the order of `names_of`.
        model: of the face.
    """
    count = model.expression.rank
    expression = face.expression + change[:, :count]
    low, high = model.expression.bounds.T
    expression = expression.clamp(low, high)
    frames = len(change)
    parts = {n: getattr(face, n) for n in ("illumination", "translation", "gaze", "rotation")}
    still = {n: v.expand(frames, *v.shape[1:]) for n, v in parts.items()}
    gaze = still["gaze"] + change[:, count + 3 :].unflatten(1, (2, 2))
    shown = replace(face, **(still | {"expression": expression, "gaze": gaze}))
    angles = rotvec_to_angles(shown.rotation) + change[:, count : count + 3]
    return turned_to(shown, angles_to_rotvec(angles))


def bridge_of(
    generator: nn.Module,
    people: Posed,
    model: MorphableModel,
    count: int,
    *,
    taught: bool = False,
) -> MotionBridge:
    """The bridge of a trained generator.

    Args:
        generator: in `eval` mode.
        people: of whom parameters are known, and who were not trained with.
        model: of their heads.
        count: of frames, about.
        taught: whether its first numbers were taught to be parameters.
    """
    device = next(generator.parameters()).device
    made: Any = generator
    codes, values = [], []
    with torch.no_grad():
        for picture, face in people.posed(count):
            codes.append(made.motion(picture.to(device)).float().cpu())
            values.append(named_values(face))
    return fit_bridge(torch.cat(codes), torch.cat(values), names_of(model), taught=taught)


def best_found(bridge: MotionBridge, names: Sequence[str] = ("yaw", "jawOpen")) -> dict[str, float]:
    """How well some parameters are found again, for a report."""
    scores = bridge.scores()
    return {f"bridge_{name}": round(scores[name], 3) for name in names if name in scores}
