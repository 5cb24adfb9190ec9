"""The gradient of a picture of three channels, by colours and by positions of vertices at once.

With g the gradient by the colour of a pixel, b its weights and a_i the colours of the corners, the
gradient by b_i is g a_i. All that `gradient.py` asks for comes from two sums over pixels of a face:

    G_k = sum b_k g                         which is the gradient by the colours of corner k
    R_k = sum b_k (g . sum_i b_i a_i)

as its b_k c_i sum up to G_k a_i - R_k. Most faces have one or two pixels in a row, so that what
takes long is not to add but to fetch and to branch. So pairs of pixels, the second with weights of
zero where it shows another face, are collected, and then computed several at once.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled, inlined

__all__ = ["paint_gradient"]

ROWS = 8  # that a lane takes at a time
PAIRS = 64  # that are collected: 15 kB, which stay in the nearest cache
FIELDS = 30  # of a pair: colours and positions of its corners, weights and gradients of its pixels


@compiled
def paint_gradient(task, tasks, points, mesh, seen, grad, to_points, to_values):
    """Adds up one lane of one image.

    `mesh` are faces, colours, and whether there is perspective; `seen` faces and weights of
    pixels. `to_points` and `to_values` have the shape (B, lanes, V, 3), where the first lane of
    `to_points` holds what it begins with. One without vertices is not wanted.
    """
    (faces, values, perspective), (faces_seen, weights) = mesh, seen
    lanes = tasks // len(points)
    image, lane = task // lanes, task % lanes
    corner, value = points[image], values[image if len(values) > 1 else 0]
    face, weight, given = faces_seen[image], weights[image], grad[image]
    out = to_points[image, lane], to_values[image, lane]
    if lane > 0:
        out[0][:] = 0.0
    out[1][:] = 0.0
    pairs, corners = np.zeros(FIELDS * PAIRS), np.empty((PAIRS, 3), np.uint64)
    count, width = 0, face.shape[1]
    for row in range(len(face)):
        if row // ROWS % lanes != lane:
            continue
        column = 0
        while column < width:
            f = face[row, column]
            if f < 0:
                column += 1
                continue
            _fetch(pairs, corners, count, corner, value, faces, f)
            _take(pairs, 18, count, weight, given, row, column, 1.0)
            last = min(column + 1, width - 1)
            same = (last - column) * np.int64(face[row, last] == f)
            column += same
            _take(pairs, 24, count, weight, given, row, column, float(same))
            column += 1
            count += 1
            if count == PAIRS:
                _flush(pairs, corners, count, perspective, out)
                count = 0
    _flush(pairs, corners, count, perspective, out)


@inlined
def _get(pairs, field, n):
    """Three fields of pair `n`."""
    at = field * PAIRS + n
    return pairs[at], pairs[at + PAIRS], pairs[at + 2 * PAIRS]


@inlined
def _put(pairs, field, n, x, y, z):
    at = field * PAIRS + n
    pairs[at], pairs[at + PAIRS], pairs[at + 2 * PAIRS] = x, y, z


@inlined
def _fetch(pairs, corners, n, corner, value, faces, f):
    """Colours and positions of the corners of face `f`."""
    f = np.uint64(f)
    for k in range(3):
        v = np.uint64(faces[f, k])
        corners[n, k] = v
        _put(pairs, 3 * k, n, value[v, 0], value[v, 1], value[v, 2])
        _put(pairs, 9 + 3 * k, n, corner[v, 0], corner[v, 1], corner[v, 2])


@inlined
def _take(pairs, field, n, weight, given, row, column, share):
    """Weights, times `share`, and the gradient of a pixel."""
    b0, b1, b2 = weight[row, column, 0], weight[row, column, 1], weight[row, column, 2]
    _put(pairs, field, n, share * b0, share * b1, share * b2)
    x, y, z = given[row, column, 0], given[row, column, 1], given[row, column, 2]
    _put(pairs, field + 3, n, x, y, z)


@inlined
def _flush(pairs, corners, count, perspective, out):
    """Adds what comes of the pairs to their corners."""
    place, colour = out
    _sums(pairs, count, perspective)
    for n in range(count):
        for k in range(3):
            if len(colour):
                _add(colour, corners[n, k], _get(pairs, 3 * k, n))
            if len(place):
                _add(place, corners[n, k], _get(pairs, 9 + 3 * k, n))


@inlined
def _add(out, v, given):
    out[v, 0] += given[0]
    out[v, 1] += given[1]
    out[v, 2] += given[2]


@compiled
def _sums(pairs, count, perspective):
    """Replaces colours and positions of the corners by the gradients with respect to them.

    One straight run of arithmetic, so that the compiler does several pairs at once.
    """
    for n in range(count):
        a, d, e = _get(pairs, 0, n), _get(pairs, 3, n), _get(pairs, 6, n)
        (x0, y0, z0), (x1, y1, z1) = _get(pairs, 9, n), _get(pairs, 12, n)
        x2, y2, z2 = _get(pairs, 15, n)
        b, g, more, h = (
            _get(pairs, 18, n),
            _get(pairs, 21, n),
            _get(pairs, 24, n),
            _get(pairs, 27, n),
        )
        r, s = _mean(b, g, a, d, e), _mean(more, h, a, d, e)
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        p0, p1, p2 = (z0, z1, z2) if perspective else (1.0, 1.0, 1.0)
        scale = 1.0 / (p0 * p1 * p2 * area)
        t0, t1, t2 = p1 * p2 * scale, p2 * p0 * scale, p0 * p1 * scale
        along = t0 * (x2 - x1), t1 * (x0 - x2), t2 * (x1 - x0)
        down = t0 * (y1 - y2), t1 * (y2 - y0), t2 * (y0 - y1)
        deep = area if perspective else 0.0
        for k, p, t in ((0, p0, t0), (1, p1, t1), (2, p2, t2)):
            x, y, z = (
                b[k] * g[0] + more[k] * h[0],
                b[k] * g[1] + more[k] * h[1],
                b[k] * g[2] + more[k] * h[2],
            )
            rest = b[k] * r + more[k] * s
            c = _dot(x, y, z, a) - rest, _dot(x, y, z, d) - rest, _dot(x, y, z, e) - rest
            _put(pairs, 3 * k, n, x, y, z)
            _put(pairs, 9 + 3 * k, n, -p * _dot(*c, down), -p * _dot(*c, along), -deep * t * c[k])


@inlined
def _dot(x, y, z, other):
    return x * other[0] + y * other[1] + z * other[2]


@inlined
def _mean(b, g, a, d, e):
    """The gradient of a pixel times its colour."""
    along = _dot(*b, (a[0], d[0], e[0])), _dot(*b, (a[1], d[1], e[1])), _dot(*b, (a[2], d[2], e[2]))
    return _dot(*g, along)
