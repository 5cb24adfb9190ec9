"""How far a fit is from the landmarks that it was made from."""

import numpy as np
import torch
from jaxtyping import Bool, Float

from morphface.fit.shared.arrays import to_numpy
from morphface.landmarks import SCHEMES, Landmarks, outer_eye_distance

__all__ = ["landmark_error"]


def landmark_error(
    landmarks: Landmarks, predicted: Float[np.ndarray, "N 2"], counted: Bool[np.ndarray, " N"]
) -> float:
    """Mean distance of predicted landmarks, as a share of the outer eye corners' distance.

    Args:
        landmarks: the detected ones.
        predicted: in pixels.
        counted: which of them count.
    """
    points = to_numpy(landmarks.points)
    if not counted.any():
        return float("nan")
    error = np.linalg.norm(points - predicted, axis=1)[counted].mean()
    present = to_numpy(landmarks.confidence)[:, None] > 0
    complete = np.where(present, points, predicted)
    return float(error / max(_face_width(landmarks.scheme, complete), 1e-9))


def _face_width(scheme: str, points: np.ndarray) -> float:
    """Distance of the outer eye corners; of unknown schemes, half the extent of the points."""
    if scheme in SCHEMES:
        return float(outer_eye_distance(torch.from_numpy(points), scheme))
    return float(np.ptp(points, axis=0).max()) / 2
