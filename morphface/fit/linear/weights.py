"""How much each landmark counts: whether it is seen, may slide, or is plainly wrong."""

import numpy as np
from jaxtyping import Float

from morphface.fit.linear.settings import LinearSettings
from morphface.fit.shared.projection import Guess
from morphface.fit.shared.rows import LandmarkRows

__all__ = ["huber", "outliers", "roots"]

_SEEN_FROM = 0.7  # cosine of the angle of view from which a point counts in full ...
_SEEN_AT_RIM = 0.3  # ... and what it counts for where the surface turns away
_CONTOUR = 0.5  # cosine below which a silhouette point lies on the contour


def roots(
    rows: LandmarkRows,
    points: Float[np.ndarray, "N 3"],
    weights: Float[np.ndarray, "N 3"],
    guess: Guess,
    settings: LinearSettings,
) -> Float[np.ndarray, "N 3 3"]:
    """Square root of each point's weight: its product with a residual is of unit precision.

    A silhouette point of the scheme that lies on the contour counts across it, and only a little
    along it, where it slides.

    Args:
        rows: for normals, and for which points are of the silhouette.
        points: in the head frame.
        weights: precision of x, y and depth before the point of view is known.
        guess: the point of view.
        settings: for what hidden and sliding points count.
    """
    normals = rows.normals @ guess.rotation.T
    sight = points @ guess.rotation.T + guess.translation
    facing = -(normals * sight).sum(axis=1) / np.sqrt((sight**2).sum(axis=1))
    slope = (1.0 - _SEEN_AT_RIM) / _SEEN_FROM
    seen = np.clip(_SEEN_AT_RIM + slope * facing, settings.hidden_weight, 1.0)
    scaled = np.sqrt(weights * seen[:, None])
    root = np.zeros((len(points), 3, 3))
    root[:, 0, 0], root[:, 1, 1], root[:, 2, 2] = scaled.T
    slides = rows.contour & (facing < _CONTOUR)
    across = normals[slides, :2]
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    along = np.stack([-across[:, 1], across[:, 0]], axis=1) * np.sqrt(settings.contour_slack)
    root[slides, 0, :2] = across * scaled[slides, :1]
    root[slides, 1, :2] = along * scaled[slides, :1]
    return root


def outliers(
    residual: Float[np.ndarray, "N C"],
    present: Float[np.ndarray, " N"],
    scale: float,
    least: float,
) -> Float[np.ndarray, " N"]:
    """Geman-McClure weights on the length of the residual on the screen.

    Args:
        residual: in pixels; depth plays no part.
        present: positive where a point counts at all.
        scale: length at which the weight is a quarter, in robust standard deviations.
        least: the smallest standard deviation, in pixels.
    """
    length = np.sqrt((residual[:, :2] ** 2).sum(axis=1))
    deviation = np.median(length[present > 0]) / 1.177  # the median of a 2-D unit normal
    return 1.0 / (1.0 + (length / (scale * max(float(deviation), least))) ** 2) ** 2


def huber(
    residual: Float[np.ndarray, "N 3"], present: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Huber weights with the bend at twice the median length."""
    length = np.sqrt((residual[:, :2] ** 2).sum(axis=1))
    bend = 2.0 * np.median(length[present > 0])
    return np.minimum(1.0, bend / np.maximum(length, 1e-12))
