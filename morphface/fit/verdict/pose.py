"""Whether a face is turned as the detector's own depth says."""

import math

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.turns import turn_ahead
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
    # Depth is measured along the line of sight to the face.
    ahead = torch.from_numpy(turn_ahead(to_numpy(fitted.mean(dim=0)))).to(turn)
    return float(roma.rotmat_geodesic_distance(turn, ahead).rad2deg())
