"""The eyeballs of a model with joints: what follows an eye's joint."""

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.models.articulated import Rig
from morphface.models.morphable import Eye

__all__ = ["eyeballs"]

_SHARE = 0.5  # of the weight of a vertex, from which it is the eye's
_IRIS = 5.85  # mm, of the average adult; such models do not mark their own


def eyeballs(rig: Rig, mean: Float[Tensor, "V 3"]) -> tuple[Eye, Eye] | None:
    """The left and the right eyeball; None for a head without.

    Args:
        rig: with the joints of both eyes.
        mean: the mean face.
    """
    balls = [torch.nonzero(rig.weights[:, joint] > _SHARE)[:, 0] for joint in rig.eyes]
    if any(len(ball) == 0 for ball in balls):
        return None
    left, right = (
        Eye(
            vertices=ball,
            centre_offset=rig.joints.mean[joint] - mean[ball].mean(dim=0),
            radius=float((mean[ball] - rig.joints.mean[joint]).norm(dim=-1).mean()),
            iris_radius=_IRIS,
        )
        for joint, ball in zip(rig.eyes, balls, strict=True)
    )
    return left, right
