"""The compiled heart of tracking: what a frame shows at fixed points of the skin.

`pixels.py` says what is computed. All arrays are float32; the innermost loops run along the
expression coefficients, which lie side by side in memory.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["derive", "place", "pose_vertices"]


@compiled
def pose_vertices(mean, basis, coefficients, pose, shape, points):
    """Vertices in the head frame and in the camera frame."""
    rotation, translation = pose
    for v in range(len(mean)):
        for c in range(3):
            total, row = mean[v, c], basis[v, c]
            for e in range(len(coefficients)):
                total += row[e] * coefficients[e]
            shape[v, c] = total
        for c in range(3):
            points[v, c] = (
                translation[c]
                + rotation[c, 0] * shape[v, 0]
                + rotation[c, 1] * shape[v, 1]
                + rotation[c, 2] * shape[v, 2]
            )


@compiled
def place(vertices, rings, surface, rotation, lens, image, out):
    """Normals of the skin's vertices, where they are seen, and what the photo has there.

    `image` has the colours and their slopes along x and y. Written are normals in the camera
    frame, lengths of the area vectors, spots, what the photo has there, cosines of the angle of
    view, and the edges of the rings.
    """
    pairs, neighbour, terms, corner, sign = rings
    shape, points = surface
    focal, middle, start, scale = lens
    normals, areas, spots, found, facing, edges = out
    area = np.empty(3, np.float32)
    for i in range(len(vertices)):
        v = vertices[i]
        area[:] = 0.0
        for pair in range(pairs[v], pairs[v + 1]):
            edge = edges[pair]
            edge[:] = 0.0
            for term in range(terms[pair], terms[pair + 1]):
                for c in range(3):
                    edge[c] += sign[term] * shape[corner[term], c]
            other = shape[neighbour[pair]]
            area[0] += edge[1] * other[2] - edge[2] * other[1]
            area[1] += edge[2] * other[0] - edge[0] * other[2]
            area[2] += edge[0] * other[1] - edge[1] * other[0]
        # The area vector is quadratic in the vertices: half the sum of its slopes times them.
        length = max(np.sqrt(area[0] ** 2 + area[1] ** 2 + area[2] ** 2), np.float32(1e-9))
        areas[i] = length / 2
        for c in range(3):
            normals[i, c] = (
                rotation[c, 0] * area[0] + rotation[c, 1] * area[1] + rotation[c, 2] * area[2]
            ) / length
        x, y, z = points[v]
        spots[i, 0] = (middle[0] - focal * x / z - start[0]) * scale[0]
        spots[i, 1] = (middle[1] + focal * y / z - start[1]) * scale[1]
        away = np.sqrt(x * x + y * y + z * z)
        facing[i] = -(normals[i, 0] * x + normals[i, 1] * y + normals[i, 2] * z) / away
        _look_up(image, spots[i, 0], spots[i, 1], found[i])


@compiled
def _look_up(image, x, y, out):
    """Blends the channels of the four pixels around a spot; the border goes on outside."""
    height, width = image.shape[:2]
    x = min(max(x - 0.5, 0.0), width - 1.0)
    y = min(max(y - 0.5, 0.0), height - 1.0)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    u, v = np.float32(x - left), np.float32(y - top)
    for c in range(image.shape[2]):
        upper = image[top, left, c] * (1 - u) + image[top, left + 1, c] * u
        lower = image[top + 1, left, c] * (1 - u) + image[top + 1, left + 1, c] * u
        out[c] = upper * (1 - v) + lower * v


@compiled
def derive(points, rings, edges, basis, rotation, sums, out):
    """Columns of rotation, translation and expression, scaled.

    `sums` has for each point its vertex, its normal, the arm from the head's origin, and, for
    each channel and scaled: colour by motion in the camera frame, colour by unit normal, and
    that by area vector in the head frame.
    """
    pairs, neighbour, _, _, _ = rings
    vertices, normals, arms = points
    across, turned, chain = sums
    bend = np.empty((3, basis.shape[2]), np.float32)
    for i in range(len(vertices)):
        v = vertices[i]
        bend[:] = 0.0
        for pair in range(pairs[v], pairs[v + 1]):
            x, y, z = edges[pair]
            rows = basis[neighbour[pair]]
            for e in range(basis.shape[2]):
                a, b, c = rows[0, e], rows[1, e], rows[2, e]
                bend[0, e] += y * c - z * b
                bend[1, e] += z * a - x * c
                bend[2, e] += x * b - y * a
        for c in range(3):
            row, a, g = out[i, c], across[i, c], turned[i, c]
            n, arm = normals[i], arms[i]
            row[0] = n[1] * g[2] - n[2] * g[1] - (arm[1] * a[2] - arm[2] * a[1])
            row[1] = n[2] * g[0] - n[0] * g[2] - (arm[2] * a[0] - arm[0] * a[2])
            row[2] = n[0] * g[1] - n[1] * g[0] - (arm[0] * a[1] - arm[1] * a[0])
            row[3], row[4], row[5] = -a[0], -a[1], -a[2]
            p = a[0] * rotation[0, 0] + a[1] * rotation[1, 0] + a[2] * rotation[2, 0]
            q = a[0] * rotation[0, 1] + a[1] * rotation[1, 1] + a[2] * rotation[2, 1]
            r = a[0] * rotation[0, 2] + a[1] * rotation[1, 2] + a[2] * rotation[2, 2]
            k, own = chain[i, c], basis[v]
            for e in range(basis.shape[2]):
                row[6 + e] = (
                    k[0] * bend[0, e]
                    + k[1] * bend[1, e]
                    + k[2] * bend[2, e]
                    - p * own[0, e]
                    - q * own[1, e]
                    - r * own[2, e]
                )
