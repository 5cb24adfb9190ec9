"""A first camera for a face: which way it looks and how far it is, from its mean shape alone.

With depth it is the similarity that aligns two point sets without reflection (Umeyama 1991,
equations 40 to 42); without, the scaled-orthographic camera of an affine least-squares fit; with
too few points for either, an upright head turned in the picture plane.
"""

import numpy as np
from jaxtyping import Float

__all__ = ["rough_pose"]

_AFFINE_POINTS = 7


def rough_pose(
    shape: Float[np.ndarray, "N 3"],
    observed: Float[np.ndarray, "N 3"],
    weights: Float[np.ndarray, " N"],
    has_depth: bool,
) -> tuple[Float[np.ndarray, "3 3"], float, Float[np.ndarray, "2"]]:
    """Rotation head to camera, scale in pixels a millimetre, and where the origin is seen.

    Args:
        shape: landmarks of the head in its own frame.
        observed: x right, y up and z towards the viewer, in pixels; z is ignored without depth.
        weights: of the points; those of weight 0 play no part.
        has_depth: whether z means anything.
    """
    share = weights / weights.sum()
    middle, seen = share @ shape, share @ observed
    model, target = shape - middle, observed - seen
    points = int((weights > 0).sum())
    if has_depth and points >= _AFFINE_POINTS:
        rotation, scale = _similarity(model, target, share)
    else:
        rotation, scale = _flat(model, target, share)
        if points >= _AFFINE_POINTS:
            rotation, scale = _affine(model, target, share) or (rotation, scale)
    return rotation, scale, seen[:2] - scale * (rotation @ middle)[:2]


def _similarity(
    model: np.ndarray, target: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, float]:
    left, singular, right = np.linalg.svd(target.T @ (share[:, None] * model))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    scale = float(singular @ sign) / float(share @ (model**2).sum(axis=1))
    return (left * sign) @ right, scale


def _affine(
    model: np.ndarray, target: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, float] | None:
    spread = model.T @ (share[:, None] * model)
    if np.linalg.cond(spread) > 1e6:
        return None
    rows = np.linalg.solve(spread, model.T @ (share[:, None] * target[:, :2])).T
    scale = float(np.linalg.norm(rows, axis=1).mean())
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    across = left @ right
    return np.vstack([across, np.cross(across[0], across[1])]), scale


def _flat(model: np.ndarray, target: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, float]:
    a, b = model[:, :2] @ [1, 1j], target[:, :2] @ [1, 1j]
    turn = (share * a.conj()) @ b / ((share * a.conj()) @ a).real
    scale, phase = float(abs(turn)), float(np.angle(turn))
    c, s = np.cos(phase), np.sin(phase)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]), scale
