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

    Shape: the blend of `lit`, less the motion that the blend of `basis` makes.
    """
    corners, slots, weights, scale, across = points
    shapes = basis.shape[2]
    for i in range(task * len(corners) // tasks, (task + 1) * len(corners) // tasks):
        for c in range(3):
            row = out[i, c]
            row[:] = 0.0
            x, y, z = across[i, c]
            for k in range(3):
                v, share = corners[i, k], weights[i, k]
                _add_rows(-share * x, -share * y, -share * z, basis[v], row)
                share *= scale[i, c]
                _add_row(share, lit[slots[i, k], c], row)
                for d in range(3):
                    if mix[c, d] != 0:
                        _add_row(share * mix[c, d] * light[v, d], colours[v, d], row[shapes:])


@compiled
def _add_row(a, row, out):
    for s in range(len(row)):
        out[s] += a * row[s]
