"""The visibility of the `cpu` backend: binning, scan conversion and weights.

Scan conversion makes shared edges exact: where an edge crosses a row of pixel centres is
computed from its upper end, by one expression, so both of its faces get the same number, and a
row of a face is the half-open range between two of them. All planes are set up once a face, in
float64; a pixel costs one product, one sum and one comparison until the nearest face is known.
The buffer of a band holds one integer a pixel that orders by nearness, then by lowest face.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import math

import numpy as np

from morphface.render.backends import NEAR
from morphface.render.backends.kernels.compiler import compiled

__all__ = ["ROWS", "bin_faces", "draw_bands"]

ROWS = 16  # of a band
BLOCK = 16  # columns that share the depth behind which nothing is seen
MASK = 0x7FFFFFFF
EMPTY = np.iinfo(np.int64).min  # key of a pixel that holds no face


@compiled
def _first(edge: float, size: int) -> int:
    """Index of the first pixel whose centre is at `edge` or beyond, at most `size`."""
    return int(math.ceil(min(max(edge, 0.0), float(size)) - 0.5))


@compiled
def bin_faces(task, tasks, points, faces, perspective, cull, size, listed, starts):
    """Lists the faces of this task's chunk by the bands that they touch."""
    low, high = task * len(faces) // tasks, (task + 1) * len(faces) // tasks
    lists = starts.shape[2] - 1
    touched = np.empty((high - low, 2), np.int32)
    place = np.empty(lists, np.int64)
    for image in range(len(points)):
        corner, entry, start = points[image], listed[image], starts[image, task]
        place[:] = 0
        for f in range(low, high):
            first, last = _lists(corner, faces, f, perspective, cull, size, lists)
            touched[f - low, 0], touched[f - low, 1] = first, last
            for item in range(first, last + 1, 2):
                place[item] += 1
        start[0] = 3 * low
        for item in range(lists):
            start[item + 1] = start[item] + place[item]
            place[item] = start[item]
        for f in range(low, high):
            for item in range(touched[f - low, 0], touched[f - low, 1] + 1, 2):
                entry[place[item]] = f
                place[item] += 1


@compiled
def _lists(corner, faces, f, perspective, cull, size, lists):
    """First and last list that face `f` enters; (0, -1) if no pixel centre can see it.

    List 2 k holds the faces of band k that are seen from outside, list 2 k + 1 those seen from
    inside, and the last list those that touch more than two bands.
    """
    height, width = size
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    x0, y0, z0 = float(corner[a, 0]), float(corner[a, 1]), corner[a, 2]
    x1, y1, z1 = float(corner[b, 0]), float(corner[b, 1]), corner[b, 2]
    x2, y2, z2 = float(corner[c, 0]), float(corner[c, 1]), corner[c, 2]
    area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    # A NaN fails each comparison. On the screen, where y points down, counter-clockwise faces
    # have a negative area.
    if not (-np.inf < area < 0.0 or (0.0 < area < np.inf and not cull)):
        return 0, -1
    if not math.isfinite(z0 + z1 + z2) or (perspective and not min(z0, z1, z2) >= NEAR):
        return 0, -1
    top, end = _first(min(y0, y1, y2), height), _first(max(y0, y1, y2), height)
    left, right = _first(min(x0, x1, x2), width), _first(max(x0, x1, x2), width)
    if top >= end or left >= right:
        return 0, -1
    top, bottom = top // ROWS, (end - 1) // ROWS
    if bottom - top > 1:
        return lists - 1, lists - 1
    side = 1 if area > 0.0 else 0
    return 2 * top + side, 2 * bottom + side


@compiled
def draw_bands(task, tasks, points, faces, perspective, listed, starts, face, weights, depth):
    """Draws every `tasks`-th band of all images, counted through."""
    batch, height, width = face.shape
    tall = starts.shape[2] - 2
    bands = tall // 2
    keys = np.empty((ROWS, width), np.int64)
    farthest = np.empty(-(-width // BLOCK), np.float32)
    for count in range(task, batch * bands, tasks):
        image, band = count // bands, count % bands
        rows = band * ROWS, min((band + 1) * ROWS, height)
        corner, entry = points[image], listed[image]
        keys[:] = EMPTY
        farthest[:] = np.inf
        for item in (tall, 2 * band, 2 * band + 1):
            if item == 2 * band + 1:
                _find_farthest(keys, rows, perspective, farthest)
            for chunk in range(starts.shape[1]):
                span = starts[image, chunk, item], starts[image, chunk, item + 1]
                _draw(corner, faces, perspective, entry, span, rows, keys, farthest)
        _resolve(corner, faces, perspective, rows, keys, face[image], weights[image], depth[image])


@compiled
def _find_farthest(keys, rows, perspective, farthest):
    """The greatest depth drawn in each block of columns, infinite where a pixel is empty."""
    width = keys.shape[1]
    for block in range(len(farthest)):
        least = np.int64(MASK) << 32
        for r in range(rows[1] - rows[0]):
            for column in range(block * BLOCK, min((block + 1) * BLOCK, width)):
                least = min(least, keys[r, column])
        if least == EMPTY:
            farthest[block] = np.inf
        else:
            nearness = float(_nearness(least))
            farthest[block] = 1.0 / nearness if perspective else -nearness


@compiled
def _hidden(x0, z0, x1, z1, x2, z2, farthest):
    """Whether a face lies behind all that its blocks of columns show."""
    width = len(farthest) * BLOCK
    left, right = _first(min(x0, x1, x2), width), _first(max(x0, x1, x2), width)
    depth = min(z0, z1, z2)
    depth -= 1e-6 * max(abs(z0), abs(z1), abs(z2))  # room for rounding
    for block in range(left // BLOCK, (right - 1) // BLOCK + 1):  # noqa: SIM110
        if not depth > farthest[block]:
            return False
    return True


@compiled
def _draw(corner, faces, perspective, entry, span, rows, keys, farthest):
    """Enters the listed faces where they are nearer than what the rows hold so far."""
    width = keys.shape[1]
    first, last = rows
    for k in range(span[0], span[1]):
        f = entry[k]
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, y0, z0 = float(corner[a, 0]), float(corner[a, 1]), float(corner[a, 2])
        x1, y1, z1 = float(corner[b, 0]), float(corner[b, 1]), float(corner[b, 2])
        x2, y2, z2 = float(corner[c, 0]), float(corner[c, 1]), float(corner[c, 2])
        if _hidden(x0, z0, x1, z1, x2, z2, farthest):
            continue
        q0, q_x, q_y, area = _plane(x0, y0, z0, x1, y1, z1, x2, y2, z2, perspective)
        q_origin = q0 + (0.5 - x0) * q_x + (0.5 - y0) * q_y
        low = np.int64(MASK - f)  # of equal nearness, the lowest face has the greatest key
        x0, y0, x1, y1, area = _upper_first(x0, y0, x1, y1, area)
        x1, y1, x2, y2, area = _upper_first(x1, y1, x2, y2, area)
        x0, y0, x1, y1, area = _upper_first(x0, y0, x1, y1, area)
        middle = _first(y1, last)
        for row in range(max(_first(y0, last), first), min(_first(y2, last), last)):
            y = row + 0.5
            upper = row < middle
            xa, ya, xb, yb = (x0, y0, x1, y1) if upper else (x1, y1, x2, y2)
            long = x0 + (y - y0) * (x2 - x0) / (y2 - y0)
            short = xa + (y - ya) * (xb - xa) / (yb - ya)
            left, right = (short, long) if area < 0.0 else (long, short)
            begin, end = _first(left, width), min(_first(right, width), width)
            q_row = q_origin + row * q_y
            r = row - first
            for column in range(begin, end):
                key = _key(q_row + column * q_x, low)
                if key > keys[r, column]:
                    keys[r, column] = key


@compiled
def _key(nearness, low):
    """Orders by nearness first and then by the low bits: a float's bits, made monotone."""
    rounded = np.float32(nearness)
    bits = np.int64(rounded.view(np.int32))
    return ((bits ^ ((bits >> 31) & MASK)) << 32) | low


@compiled
def _nearness(key):
    """Inverts `_key`."""
    bits = key >> 32
    turned = np.int32(bits ^ ((bits >> 31) & MASK))
    return turned.view(np.float32)


@compiled
def _upper_first(x0, y0, x1, y1, area):
    """Two corners in the order of y; a swap turns the face over."""
    return (x1, y1, x0, y0, -area) if y1 < y0 else (x0, y0, x1, y1, area)


@compiled
def _plane(x0, y0, z0, x1, y1, z1, x2, y2, z2, perspective):
    """Nearness of the first corner, its slopes along the screen, and twice the area.

    Nearness is linear on the screen: 1 / z for perspective, else -z.
    """
    ex1, ey1, ex2, ey2 = x1 - x0, y1 - y0, x2 - x0, y2 - y0
    area = ex1 * ey2 - ex2 * ey1
    if perspective:
        scale = 1.0 / (z0 * z1 * z2 * area)
        d1, d2 = (z0 - z1) * z2 * scale, (z0 - z2) * z1 * scale
        q0 = z1 * z2 * area * scale
    else:
        scale = 1.0 / area
        q0, d1, d2 = -z0, (z0 - z1) * scale, (z0 - z2) * scale
    return q0, d1 * ey2 - d2 * ey1, d2 * ex1 - d1 * ex2, area


@compiled
def _resolve(corner, faces, perspective, rows, keys, face, weights, depth):
    """Writes rows of the result from the face that each of their pixels holds."""
    x0 = y0 = x1 = y1 = x2 = y2 = 0.0
    z0 = z1 = z2 = q0 = q1 = q2 = 1.0
    for row in range(rows[0], rows[1]):
        y = row + 0.5
        held = EMPTY
        for column in range(face.shape[1]):
            key = keys[row - rows[0], column]
            if key == EMPTY:
                face[row, column] = -1
                weights[row, column, 0] = 0.0
                weights[row, column, 1] = 0.0
                weights[row, column, 2] = 0.0
                depth[row, column] = np.inf
                continue
            f = MASK - (key & MASK)
            face[row, column] = f
            if f != held:
                held = f
                a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
                x0, y0, z0 = corner[a, 0], corner[a, 1] - y, float(corner[a, 2])
                x1, y1, z1 = corner[b, 0], corner[b, 1] - y, float(corner[b, 2])
                x2, y2, z2 = corner[c, 0], corner[c, 1] - y, float(corner[c, 2])
                if perspective:
                    q0, q1, q2 = 1.0 / z0, 1.0 / z1, 1.0 / z2
            x = column + 0.5
            w0 = (x1 - x) * y2 - (x2 - x) * y1
            w1 = (x2 - x) * y0 - (x0 - x) * y2
            w2 = (x0 - x) * y1 - (x1 - x) * y0
            if w0 + w1 + w2 < 0.0:
                w0, w1, w2 = -w0, -w1, -w2
            w0, w1, w2 = max(w0, 0.0) * q0, max(w1, 0.0) * q1, max(w2, 0.0) * q2
            scale = 1.0 / (w0 + w1 + w2)
            w0, w1, w2 = w0 * scale, w1 * scale, w2 * scale
            weights[row, column, 0] = w0
            weights[row, column, 1] = w1
            weights[row, column, 2] = w2
            depth[row, column] = w0 * z0 + w1 * z1 + w2 * z2
