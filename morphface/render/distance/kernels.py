"""Loops over the faces of a mesh around points, compiled; `signed.py` says what they find.

Faces stand in groups of the same number, whose bounding spheres tell which of them matter.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import math

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["nearest"]


@compiled
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def _cross(a, b):
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


@compiled
def _minus(a, b):
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


@compiled
def _on_edge(a, b):
    """Where between two points seen from the origin the nearest lies, and its squared distance."""
    along = _minus(b, a)
    length = _dot(along, along)
    share = -_dot(a, along) / length if length > 0 else 0.0
    share = min(max(share, 0.0), 1.0)
    x, y, z = a[0] + share * along[0], a[1] + share * along[1], a[2] + share * along[2]
    return share, x * x + y * y + z * z


@compiled
def _on_triangle(a, b, c):
    """Squared distance of a triangle from the origin, and weights of its nearest point."""
    ab, ac = _minus(b, a), _minus(c, a)
    normal = _cross(ab, ac)
    square = _dot(normal, normal)
    if square > 0:
        second = -_dot(_cross(a, ac), normal) / square
        third = -_dot(_cross(ab, a), normal) / square
        first = 1 - second - third
        if first >= 0 and second >= 0 and third >= 0:
            height = _dot(a, normal)
            return height * height / square, first, second, third
    share, best = _on_edge(a, b)
    first, second, third = 1 - share, share, 0.0
    share, found = _on_edge(b, c)
    if found < best:
        best, first, second, third = found, 0.0, 1 - share, share
    share, found = _on_edge(c, a)
    if found < best:
        best, first, second, third = found, share, 0.0, 1 - share
    return best, first, second, third


@compiled
def _solid_angle(a, b, c):
    """Of a triangle seen from the origin, with sign (van Oosterom and Strackee 1983)."""
    la, lb, lc = math.sqrt(_dot(a, a)), math.sqrt(_dot(b, b)), math.sqrt(_dot(c, c))
    other = la * lb * lc + _dot(a, b) * lc + _dot(b, c) * la + _dot(c, a) * lb
    return 2 * math.atan2(_dot(a, _cross(b, c)), other)


@compiled
def nearest(task, tasks, points, corners, spheres, dipoles, far, square, face, weights, winding):
    """Squared distance, nearest face with its weights, and winding number of a task's points."""
    groups, size = corners.shape[0], corners.shape[1]
    for n in range(task, len(points), tasks):
        p = (points[n, 0], points[n, 1], points[n, 2])
        best, turned = math.inf, 0.0
        close, closest = 0, math.inf
        for g in range(groups):
            away = _minus((spheres[g, 0], spheres[g, 1], spheres[g, 2]), p)
            d = _dot(away, away)
            if d < closest:
                close, closest = g, d
            if d > (far * spheres[g, 3]) ** 2:
                dipole = (dipoles[g, 0], dipoles[g, 1], dipoles[g, 2])
                turned += _dot(away, dipole) / (d * math.sqrt(d))
        for turn in range(-1, groups):
            g = close if turn < 0 else turn
            away = _minus((spheres[g, 0], spheres[g, 1], spheres[g, 2]), p)
            d = math.sqrt(_dot(away, away))
            seen = turn >= 0 and d <= far * spheres[g, 3]
            tried = turn < 0 or (g != close and d - spheres[g, 3] < math.sqrt(best))
            if not (seen or tried):
                continue
            for k in range(size):
                t = corners[g, k]
                a = (t[0, 0] - p[0], t[0, 1] - p[1], t[0, 2] - p[2])
                b = (t[1, 0] - p[0], t[1, 1] - p[1], t[1, 2] - p[2])
                c = (t[2, 0] - p[0], t[2, 1] - p[1], t[2, 2] - p[2])
                if seen:
                    turned += _solid_angle(a, b, c)
                if tried:
                    d2, first, second, third = _on_triangle(a, b, c)
                    if d2 < best:
                        best, face[n] = d2, g * size + k
                        weights[n, 0], weights[n, 1], weights[n, 2] = first, second, third
        square[n] = best
        winding[n] = turned / (4 * math.pi)
