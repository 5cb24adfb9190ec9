"""The gradient of weights and depth with respect to the corners of the visible faces.

With u_i the signed area opposite corner i over its depth, the weights are b = u / sum(u) and the
depth is sum(b z). A corner that moves by d moves the weights as if the pixel moved by -b_j d in
the plane of the face, so one vector a pixel serves all three corners:

    c_i = g_i + h z_i - sum_k b_k (g_k + h z_k)       g, h: gradient of weights and depth
    v   = sum_i c_i / (z_i A) n_i                     n_i: edge opposite i, turned by 90 degrees
    to (x_j, y_j): -b_j z_j v                         A: twice the signed area of the face
    to z_j:         b_j (h - c_j / z_j)

Without perspective each z that divides or multiplies is 1, and z_j gets b_j h alone. Nothing is
singular for a face that reaches behind the camera. Sums are in float64 along a row of a face.
Each lane owns a copy of the result, which the caller adds up in order: no two threads write to
one place, and the outcome does not depend on who was faster.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled, inlined

__all__ = ["screen_gradient"]

ROWS = 8  # that a lane takes at a time


@compiled
def screen_gradient(
    task, tasks, points, faces, perspective, face, weights, to_weights, to_depth, total
):
    """Adds up one lane of one image: `total` has the shape (B, lanes, V, 3).

    An array of gradients without rows stands for zeros.
    """
    lanes = total.shape[1]
    image, lane = task // lanes, task % lanes
    point, out = points[image], total[image, lane]
    out[:] = 0.0
    sums = np.zeros((3, 3))
    for row in range(face.shape[1]):
        if row // ROWS % lanes != lane:
            continue
        held = -1
        for column in range(face.shape[2]):
            f = face[image, row, column]
            if f != held:
                if held >= 0:
                    _flush(out, faces, held, sums)
                held = f
                if f >= 0:
                    near, edges = _plane(point, faces, f, perspective)
                    z0, z1, z2, p0, p1, p2, t0, t1, t2, n0, n1, n2 = near
                    x0, x1, x2, y0, y1, y2 = edges
            if f < 0:
                continue
            c0 = c1 = c2 = h = 0.0
            if len(to_weights):
                c0 = float(to_weights[image, row, column, 0])
                c1 = float(to_weights[image, row, column, 1])
                c2 = float(to_weights[image, row, column, 2])
            if len(to_depth):
                h = float(to_depth[image, row, column])
                c0, c1, c2 = c0 + h * z0, c1 + h * z1, c2 + h * z2
            b0 = float(weights[image, row, column, 0])
            b1 = float(weights[image, row, column, 1])
            b2 = float(weights[image, row, column, 2])
            mean = b0 * c0 + b1 * c1 + b2 * c2
            c0, c1, c2 = c0 - mean, c1 - mean, c2 - mean
            sums[0, 2] += b0 * (h - c0 * n0)
            sums[1, 2] += b1 * (h - c1 * n1)
            sums[2, 2] += b2 * (h - c2 * n2)
            s0, s1, s2 = c0 * t0, c1 * t1, c2 * t2
            vx = s0 * y0 + s1 * y1 + s2 * y2
            vy = s0 * x0 + s1 * x1 + s2 * x2
            for b, corner in ((b0 * p0, 0), (b1 * p1, 1), (b2 * p2, 2)):
                sums[corner, 0] -= b * vx
                sums[corner, 1] -= b * vy
        if held >= 0:
            _flush(out, faces, held, sums)


@inlined
def _plane(corner, faces, f, perspective):
    """What a face has for all of its pixels.

    For each corner: its depth, the depth as a factor, 1 / (z A), 1 / z; and then the opposite
    edges, x of all with the sign that they get when turned, then y.
    """
    i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
    x0, y0, z0 = float(corner[i, 0]), float(corner[i, 1]), float(corner[i, 2])
    x1, y1, z1 = float(corner[j, 0]), float(corner[j, 1]), float(corner[j, 2])
    x2, y2, z2 = float(corner[k, 0]), float(corner[k, 1]), float(corner[k, 2])
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    edges = x2 - x1, x0 - x2, x1 - x0, y1 - y2, y2 - y0, y0 - y1
    p0, p1, p2 = (z0, z1, z2) if perspective else (1.0, 1.0, 1.0)
    scale = 1.0 / (p0 * p1 * p2 * area)
    t0, t1, t2 = p1 * p2 * scale, p2 * p0 * scale, p0 * p1 * scale
    n = area if perspective else 0.0
    return (z0, z1, z2, p0, p1, p2, t0, t1, t2, t0 * n, t1 * n, t2 * n), edges


@inlined
def _flush(out, faces, f, sums):
    """Adds `sums` to the corners of face `f`, and empties them."""
    for k in range(3):
        vertex = faces[f, k]
        for axis in range(3):
            out[vertex, axis] += sums[k, axis]
            sums[k, axis] = 0.0
