"""The compiled heart of the Jacobian on a CPU; `jacobian.py` says what it computes.

`light_vertices` follows the normals to colours at the vertices that are seen, `write_samples`
blends three of them for each pixel, as `blend` does with any values. The innermost loops run along
the coefficients, which lie side by side in memory.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["blend", "light_vertices", "write_samples"]


@compiled
def blend(values, corners, weights, out):
    """Of every point, the weighted sum of the values at its three corners."""
    for i in range(len(corners)):
        first, second, third = corners[i]
        a, b, c = weights[i]
        for k in range(values.shape[1]):
            out[i, k] = a * values[first, k] + b * values[second, k] + c * values[third, k]


@compiled
def _add_rows(a, b, c, rows, out):
    """Adds a linear combination of three rows."""
    first, second, third = rows[0], rows[1], rows[2]
    for s in range(len(first)):
        out[s] += a * first[s] + b * second[s] + c * third[s]


@compiled
def light_vertices(task, tasks, used, rings, shape, chain, basis, lit):
    """Colours of the `used` vertices by shape columns, through their normals alone."""
    pairs, neighbour, terms, corner, sign = rings
    edge = np.empty(3, shape.dtype)
    for slot in range(task * len(used) // tasks, (task + 1) * len(used) // tasks):
        v = used[slot]
        lit[slot] = 0.0
        for pair in range(pairs[v], pairs[v + 1]):
            edge[:] = 0.0
            for term in range(terms[pair], terms[pair + 1]):
                for c in range(3):
                    edge[c] += sign[term] * shape[corner[term], c]
            x, y, z = edge
            rows = basis[neighbour[pair]]
            for c in range(3):
                p, q, r = chain[v, c]
                _add_rows(q * z - r * y, r * x - p * z, p * y - q * x, rows, lit[slot, c])


@compiled
def write_samples(task, tasks, points, basis, lit, colours, light, mix, out):
    """Shape and reflectance columns of every sample's rows, which are scaled.

    Shape: the blend of `lit`, less the motion that the blend of `basis` makes. Rows of vertices lie
    far apart in memory: each is read once for a sample.
    """
    corners, slots, weights, scale, across = points
    shapes, moved = basis.shape[2], np.empty((3, basis.shape[2]), basis.dtype)
    for i in range(task * len(corners) // tasks, (task + 1) * len(corners) // tasks):
        (u, v, w), (f, g, h) = corners[i], slots[i]
        a, b, c = weights[i]
        for d in range(3):
            _blend_rows(a, b, c, basis[u, d], basis[v, d], basis[w, d], moved[d])
        for e in range(3):
            size, (x, y, z), row = scale[i, e], across[i, e], out[i, e]
            a, b, c = size * weights[i, 0], size * weights[i, 1], size * weights[i, 2]
            _blend_rows(a, b, c, lit[f, e], lit[g, e], lit[h, e], row)
            _add_rows(-x, -y, -z, moved, row)
            row[shapes:] = 0.0
            for d in range(3):
                own = mix[e, d]
                if own != 0:
                    p, q, r = own * a * light[u, d], own * b * light[v, d], own * c * light[w, d]
                    rows = colours[u, d], colours[v, d], colours[w, d]
                    _add_rows(p, q, r, rows, row[shapes:])


@compiled
def _blend_rows(a, b, c, first, second, third, out):
    """A linear combination of three rows."""
    for s in range(len(first)):
        out[s] = a * first[s] + b * second[s] + c * third[s]
