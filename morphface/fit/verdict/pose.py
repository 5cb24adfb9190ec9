"""Whether a face is turned as the detector's own depth says."""

import math

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.landmarks import Landmarks
from morphface.models import MorphableModel

__all__ = ["pose_apart"]

_FEWEST = 10  # points that tell a turn


def pose_apart(model: MorphableModel, points: Float[Tensor, "V 3"], witness: Landmarks) -> float:
    """Degrees by which a fitted face must be turned to lie as the detector sees it in depth.

    NaN where the detector gives no depth, or points that the model does not have.

    Args:
        model: of the fit.
        points: its vertices in the camera frame.
        witness: what the detector says of the face.
    """
    if witness.depth is None or witness.scheme not in model.landmarks:
        return math.nan
    embedding = model.landmarks[witness.scheme]
    counted = (witness.confidence > 0) & (embedding.confidence > 0)
    if int(counted.sum()) < _FEWEST:
        return math.nan
    fitted = embedding.points(points)[counted]
    x, y = witness.points[counted].unbind(dim=1)
    seen = torch.stack([x, -y, -witness.depth[counted]], dim=1)
    turn, *_ = roma.rigid_points_registration(fitted, seen, compute_scaling=True)
    ahead = _ahead(fitted.mean(dim=0))
    return float(roma.rotmat_geodesic_distance(turn, ahead).rad2deg())


def _ahead(middle: Float[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """The turn of the camera after which it looks at a point: depth is measured along that."""
    ray = torch.nn.functional.normalize(middle, dim=0)
    axis = torch.linalg.cross(ray, ray.new_tensor([0.0, 0.0, -1.0]))
    sine = axis.norm()
    angle = torch.atan2(sine, -ray[2])
    return roma.rotvec_to_rotmat(axis / sine.clamp(min=1e-9) * angle)
