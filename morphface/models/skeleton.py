"""A small skeleton for a head: neck, head, jaw and both eyes, as animators expect it.

Eyes turn about their centres. The jaw turns as the lower teeth do when `jawOpen` rises from 0 to
1: the rotation that moves them so (Kabsch 1976), about the axis that it leaves in place. The
share of the jaw in each vertex is how far `jawOpen` moves it along, so that turning the joint
and raising the weight look alike.
"""

from dataclasses import dataclass

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_shape
from morphface.core.records import Record
from morphface.models.articulated import ArticulatedModel
from morphface.models.morphable import MorphableModel, gaze_rotation

__all__ = ["JOINTS", "Skeleton", "skeleton_of"]

JOINTS = {"Neck": None, "Head": "Neck", "Jaw": "Head", "LeftEye": "Head", "RightEye": "Head"}
"""Names of the joints, each with that of its parent, in the order of `Skeleton`."""
_OPEN = "jawOpen"
_NEEDED = ("neck", "ears", "teeth", "skin")
_FOLLOWING = 0.3  # of the largest motion of a tooth, from which one is of the jaw
_NEAR = 2.0, 6.0  # mm that the jaw's joint moves a vertex, below which its share is not told
_BELOW_EARS, _ABOVE_CUT = 30.0, 15.0  # mm, of the joints of head and neck
_NECK = 115.0, 160.0  # mm below the eyes, along a slope that is higher at the nape: the neck's part
_SLOPE = 0.45


@dataclass(frozen=True, eq=False)
class Skeleton(Record):
    """Joints of one head, and how they move its vertices (linear blend skinning).

    Args:
        places: of the joints named in `JOINTS`, in the model frame.
        turns: rotation vectors against the resting pose with which the vertices were made.
        weights: share of each joint in each vertex; they sum to 1.
        opened: rotation vector of the jaw that `jawOpen` 1 looks like.
    """

    places: Float[Tensor, "J 3"]
    turns: Float[Tensor, "J 3"]
    weights: Float[Tensor, "V J"]
    opened: Float[Tensor, "3"]

    def __post_init__(self) -> None:
        check_shape("skeleton.places", self.places, len(JOINTS), 3)
        check_shape("skeleton.turns", self.turns, len(JOINTS), 3)
        check_shape("skeleton.weights", self.weights, None, len(JOINTS))


def skeleton_of(
    model: MorphableModel, identity: Float[Tensor, " I"], gaze: Float[Tensor, "2 2"]
) -> Skeleton | None:
    """The skeleton of a person; None for a model that lacks eyes, teeth, ears, neck or `jawOpen`.

    Args:
        model: a linear one.
        identity: coefficients.
        gaze: that the eyes are turned by.
    """
    if isinstance(model, ArticulatedModel) or model.eyes is None:
        return None
    if _OPEN not in model.expression.names or not set(_NEEDED) <= set(model.regions):
        return None
    neutral = model.identity.instance(identity)
    jaw_place, opened, along = _jaw(model, neutral)
    neck = _neck_share(model, neutral)
    ears = neutral[model.regions["ears"] > 0.5].mean(0)
    low = neutral[neck > 0.5]
    zero = neutral.new_zeros(1)
    places = [
        torch.cat([zero, low[:, 1:2].min(0).values + _ABOVE_CUT, low[:, 2:].mean(0)]),
        torch.cat([zero, ears[1:2] - _BELOW_EARS, ears[2:]]),
        jaw_place,
        *(eye.centre(neutral) for eye in model.eyes),
    ]
    turns = torch.zeros(len(JOINTS), 3)
    turns[3:] = roma.rotmat_to_rotvec(gaze_rotation(gaze))
    return Skeleton(torch.stack(places), turns, _weights(model, neck, along), opened)


def _jaw(model: MorphableModel, neutral: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Place of the joint, its rotation vector at `jawOpen` 1, and its share in each vertex."""
    moves = model.expression.directions[model.expression.names.index(_OPEN)]
    length = moves.norm(dim=-1)
    teeth = model.regions["teeth"] > 0.5
    lower = teeth & (length > _FOLLOWING * length[teeth].max())
    before, after = neutral[lower].double(), (neutral + moves)[lower].double()
    rotation, shift = roma.rigid_points_registration(before, after)
    gap = torch.eye(3, dtype=torch.double) - rotation
    place = torch.linalg.pinv(gap, rtol=1e-3) @ shift
    turned = ((neutral.double() - place) @ -gap.T).to(neutral)
    share = (moves * turned).sum(-1) / turned.square().sum(-1).clamp(min=1e-6)
    near = ((turned.norm(dim=-1) - _NEAR[0]) / (_NEAR[1] - _NEAR[0])).clamp(0, 1)
    share = (share * near).clamp(0, 1)
    share[teeth] = lower[teeth].to(share)
    return place.to(neutral), roma.rotmat_to_rotvec(rotation).to(neutral), share


def _neck_share(model: MorphableModel, neutral: Tensor) -> Tensor:
    """How much of each vertex of the skin stays with the neck when the head turns."""
    below = -neutral[:, 1] - _SLOPE * neutral[:, 2]
    share = ((below - _NECK[0]) / (_NECK[1] - _NECK[0])).clamp(0, 1)
    inside = torch.zeros_like(share)
    for name in ("mouth", "teeth", "tongue"):
        inside = torch.maximum(inside, model.regions.get(name, inside))
    return share * share * (3 - 2 * share) * (inside < 0.5)


def _weights(model: MorphableModel, neck: Tensor, jaw: Tensor) -> Tensor:
    weights = torch.zeros(model.size, len(JOINTS))
    weights[:, 0] = neck
    weights[:, 1] = (1 - neck) * (1 - jaw)
    weights[:, 2] = (1 - neck) * jaw
    for joint, eye in enumerate(model.eyes or (), start=3):
        weights[eye.vertices] = 0.0
        weights[eye.vertices, joint] = 1.0
    return weights
