"""The nearest point of a mesh, quickly, on one thread: what a measure asks ten thousand times.

The product's own `closest_on_mesh` does the same on tensors; a test holds the two together.
"""

import numba
import numpy as np

__all__ = ["best_of"]


@numba.njit(cache=True)
def best_of(
    points: np.ndarray, corners: np.ndarray, near: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of some triangles to each point, and the weights of the nearest point in it.

    Args:
        points: N x 3.
        corners: of all triangles, F x 3 x 3.
        near: indices of the triangles that are tried for each point.
    """
    face, weights = np.zeros(len(points), np.int64), np.zeros((len(points), 3))
    for i in range(len(points)):
        least = np.inf
        for j in near[i]:
            w = _weights(points[i], corners[j])
            away = w[0] * corners[j, 0] + w[1] * corners[j, 1] + w[2] * corners[j, 2] - points[i]
            square = away[0] ** 2 + away[1] ** 2 + away[2] ** 2
            if square < least:
                least, face[i] = square, j
                weights[i, 0], weights[i, 1], weights[i, 2] = w
    return face, weights


@numba.njit(cache=True)
def _weights(p: np.ndarray, triangle: np.ndarray) -> tuple[float, float, float]:
    """Barycentric weights of the nearest point, after Ericson (2005), section 5.1.5."""
    a, b, c = triangle[0], triangle[1], triangle[2]
    ab, ac, ap, bp, cp = b - a, c - a, p - a, p - b, p - c
    d1, d2, d3, d4 = _dot(ab, ap), _dot(ac, ap), _dot(ab, bp), _dot(ac, bp)
    d5, d6 = _dot(ab, cp), _dot(ac, cp)
    if d1 <= 0 and d2 <= 0:
        return 1.0, 0.0, 0.0
    if d3 >= 0 and d4 <= d3:
        return 0.0, 1.0, 0.0
    if d6 >= 0 and d5 <= d6:
        return 0.0, 0.0, 1.0
    vc, vb, va = d1 * d4 - d3 * d2, d5 * d2 - d1 * d6, d3 * d6 - d5 * d4
    if vc <= 0 and d1 >= 0 and d3 <= 0:
        t = d1 / (d1 - d3)
        return 1 - t, t, 0.0
    if vb <= 0 and d2 >= 0 and d6 <= 0:
        t = d2 / (d2 - d6)
        return 1 - t, 0.0, t
    if va <= 0 and d4 >= d3 and d5 >= d6:
        t = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        return 0.0, 1 - t, t
    whole = va + vb + vc
    return 1 - (vb + vc) / whole, vb / whole, vc / whole


@numba.njit(cache=True)
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
