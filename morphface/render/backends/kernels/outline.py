"""The compiled kernels of anti-aliasing: where a surface ends between two pixel centres.

`mark` looks at every edge once, and marks the pairs of pixels that an outline may run between.
`trace` walks, for each of these, from the centre of the nearer pixel over the mesh towards the
other centre, face by face; where the surface turns away or has a border, it ends. Walking finds
the outline of faces smaller than a pixel too. `blend` and `unblend` then touch only those pixels.

A walk follows axis `u` (0 for x, 1 for y) at a fixed place `v` on the other, its `way` 1 or -1.
A line meets a side if one end of it is beyond `v` and the other is not, so that a walk that
enters a face always has one side to leave it by. All arithmetic is in float64.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import math

import numpy as np

from morphface.render.backends.kernels.compiler import compiled, inlined

__all__ = ["blend", "mark", "trace", "unblend"]

LONGEST = 1000  # faces that a walk crosses at most


@inlined
def _turn(corner, a, b, c):
    """Twice the signed area of a triangle on the screen; exact in sign where float32 goes in."""
    x, y = float(corner[a, 0]), float(corner[a, 1])
    along = (float(corner[b, 0]) - x) * (float(corner[c, 1]) - y)
    return along - (float(corner[b, 1]) - y) * (float(corner[c, 0]) - x)


@inlined
def _axis(corner, a, b):
    """The axis along which neighbours are compared at this edge: the one it is steeper to."""
    across = abs(float(corner[b, 0]) - float(corner[a, 0]))
    return 0 if across <= abs(float(corner[b, 1]) - float(corner[a, 1])) else 1


@inlined
def _meeting(corner, a, b, u, v):
    """Where along `u` an edge is at `v`, how far towards its second end, and its slope."""
    start, end = float(corner[a, 1 - u]), float(corner[b, 1 - u])
    share = (v - start) / (end - start)
    rise = float(corner[b, u]) - float(corner[a, u])
    return float(corner[a, u]) + share * rise, share, rise / (end - start)


@compiled
def mark(task, tasks, points, edges, face, marks):
    """Marks, by the first pixel of each, pairs along x and along y with an outline between."""
    low, high = task * len(edges) // tasks, (task + 1) * len(edges) // tasks
    for image in range(len(points)):
        corner = points[image]
        for e in range(low, high):
            a, b, c, d = edges[e]
            if c >= 0 and _turn(corner, a, b, c) * _turn(corner, a, b, d) < 0.0:
                continue  # the surface goes on beyond this edge
            _mark_edge(corner, a, b, face[image], marks[image])


@inlined
def _mark_edge(corner, a, b, face, marks):
    u = _axis(corner, a, b)
    start, end = float(corner[a, 1 - u]), float(corner[b, 1 - u])
    rows, columns = face.shape[u], face.shape[1 - u]
    first = math.ceil(min(max(min(start, end), 0.0), float(rows)) - 0.5)
    last = math.ceil(min(max(max(start, end), 0.0), float(rows)) - 0.5)
    if not math.isfinite(start + end):
        return
    for row in range(int(first), int(last)):
        place = _meeting(corner, a, b, u, row + 0.5)[0] - 0.5
        if not -1.0 < place < columns:  # true for a NaN
            continue
        # Both pairs of a centre that the edge meets: visibility decided which of them differ.
        for column in range(max(math.ceil(place) - 1, 0), min(int(place) + 1, columns - 1)):
            y, x = (row, column) if u == 0 else (column, row)
            if face[y, x] != face[y + u, x + 1 - u]:
                marks[u, y, x] = 1


@compiled
def trace(task, tasks, points, mesh, near, fragments, spots, pixels, ends, amounts):
    """Finds, for every marked pair, which pixel gets how much of the other's colour.

    Writes the pixels that receive and give (-1 for none), the vertices of the edge, and the
    amount with its derivatives to u of both vertices and to v of both.
    """
    face, depth = fragments
    height, width = face.shape[1:]
    for n in range(task * len(spots) // tasks, (task + 1) * len(spots) // tasks):
        plane, place = divmod(spots[n], height * width)
        image, u = plane // 2, plane % 2
        y, x = divmod(place, width)
        other_y, other_x = y + u, x + 1 - u
        way = 1.0
        if depth[image, other_y, other_x] < depth[image, y, x]:
            y, x, other_y, other_x, way = other_y, other_x, y, x, -1.0
        begin, v = (x + 0.5, y + 0.5) if u == 0 else (y + 0.5, x + 0.5)
        pixels[n, 0] = -1
        line = u, v, way, begin + way
        a, b = _end(points[image], mesh, near, face[image, y, x], line)
        if a < 0 or _axis(points[image], a, b) != u:
            continue
        here, share, slope = _meeting(points[image], a, b, u, v)
        gone = min(max(way * (here - begin), 0.0), 1.0)
        turned = 1.0 if gone < 0.5 else -1.0  # whether the nearer pixel receives
        pixel = (image * height + y) * width + x
        other = (image * height + other_y) * width + other_x
        pixels[n, 0], pixels[n, 1] = (pixel, other) if turned > 0.0 else (other, pixel)
        ends[n, 0], ends[n, 1] = a, b
        rate = -turned * way
        amounts[n, 0] = turned * (0.5 - gone)
        amounts[n, 1], amounts[n, 2] = rate * (1.0 - share), rate * share
        amounts[n, 3], amounts[n, 4] = -slope * amounts[n, 1], -slope * amounts[n, 2]


@inlined
def _end(corner, mesh, near, f, line):
    """The edge where the surface of face `f` ends along a line, lower vertex first; -1 if none."""
    faces, _ = mesh
    u, v, way, limit = line
    side = _first_side(corner, faces, f, line)
    last = side  # where the last face that has an area was left
    for _ in range(LONGEST):
        f = side // 3
        if side < 0 or _clipped(corner, faces, f, near):
            return -1, -1
        a, b, _ = _corners(faces, side)
        if not way * (_meeting(corner, a, b, u, v)[0] - limit) <= 0.0:
            return -1, -1
        entry = _beyond(corner, mesh, side, line)
        if entry < 0:
            a, b, _ = _corners(faces, last)
            return a, b
        side = _next(entry, 1)
        a, b, c = _corners(faces, side)
        if (corner[a, 1 - u] > v) == (corner[b, 1 - u] > v):
            side = _next(entry, 2)
        if _turn(corner, a, b, c) != 0.0:
            last = side
    return -1, -1


@inlined
def _next(side, steps):
    """The side that is `steps` further around the same face."""
    return side - side % 3 + (side + steps) % 3


@inlined
def _corners(faces, side):
    """Both vertices of a side, the lower first, and the one opposite."""
    f, k = side // 3, side % 3
    a, b = faces[f, k], faces[f, (k + 1) % 3]
    return min(a, b), max(a, b), faces[f, (k + 2) % 3]


@inlined
def _ahead(corner, a, b, c, line):
    """Positive if `c` lies beyond the edge from `a` to `b` on the way, negative if before."""
    u, _, way, _ = line
    facing = way * (float(corner[b, 1 - u]) - float(corner[a, 1 - u]))
    turned = _turn(corner, a, b, c)
    return -turned * facing if u == 0 else turned * facing


@inlined
def _first_side(corner, faces, f, line):
    """The side by which a line leaves face `f`; -1 if it misses it, by rounding."""
    u, v = line[0], line[1]
    for side in range(3 * f, 3 * f + 3):
        a, b, c = _corners(faces, side)
        meets = (corner[a, 1 - u] > v) != (corner[b, 1 - u] > v)
        if meets and _ahead(corner, a, b, c, line) < 0.0:
            return side
    return -1


@inlined
def _beyond(corner, mesh, side, line):
    """The side by which the surface goes on, -1 if it ends. Faces without area come last."""
    faces, ring = mesh
    flat = -1
    other = ring[side // 3, side % 3]
    while other != side:
        a, b, c = _corners(faces, other)
        ahead = _ahead(corner, a, b, c, line)
        if ahead > 0.0:
            return other
        if ahead == 0.0:
            flat = other
        other = ring[other // 3, other % 3]
    return flat


@inlined
def _clipped(corner, faces, f, near):
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    return not min(corner[a, 2], corner[b, 2], corner[c, 2]) > near


@compiled
def blend(task, tasks, starts, pixels, amounts, out, difference):
    """Adds to each pixel that receives, first along x and then along y.

    `out` begins as the image. Keeps the differences of colours that were blended.
    """
    channels = out.shape[1]
    for image in range(task, (len(starts) - 1) // 2, tasks):
        for u in range(2):
            span = range(starts[2 * image + u], starts[2 * image + u + 1])
            for n in span:
                taker, giver = pixels[n, 0], pixels[n, 1]
                for c in range(channels if taker >= 0 else 0):
                    difference[n, c] = out[giver, c] - out[taker, c]
            for n in span:
                taker = pixels[n, 0]
                for c in range(channels if taker >= 0 else 0):
                    out[taker, c] += amounts[n, 0] * difference[n, c]


@compiled
def unblend(task, tasks, starts, pixels, ends, amounts, difference, grad, moved):
    """The backward pass of `blend`: turns `grad` into that of the image, adds to `moved`."""
    channels = grad.shape[1]
    for image in range(task, (len(starts) - 1) // 2, tasks):
        for u in (1, 0):
            low, high = starts[2 * image + u], starts[2 * image + u + 1]
            passed = np.empty((high - low, channels), grad.dtype)
            for n in range(low, high):
                taker, rate = pixels[n, 0], 0.0
                for c in range(channels if taker >= 0 else 0):
                    passed[n - low, c] = amounts[n, 0] * grad[taker, c]
                    rate += grad[taker, c] * difference[n, c]
                for k in range(2 if taker >= 0 and moved.size else 0):
                    moved[image, ends[n, k], u] += rate * amounts[n, 1 + k]
                    moved[image, ends[n, k], 1 - u] += rate * amounts[n, 3 + k]
            for n in range(low, high):
                taker, giver = pixels[n, 0], pixels[n, 1]
                for c in range(channels if taker >= 0 else 0):
                    grad[taker, c] -= passed[n - low, c]
                    grad[giver, c] += passed[n - low, c]
