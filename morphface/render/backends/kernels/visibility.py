"""The visibility of the `cpu` backend: scan conversion, and weights where a face is seen.

Most faces of a head cover one to three pixels, so their set-up is what costs, and above all
branches that wait for its divisions. So faces become spans of pixels first, some hundred of them,
which are entered into the buffer after that. Faces seen from inside come last, as most of them
lie behind what is there by then.

Scan conversion makes shared edges exact: where an edge crosses a row of pixel centres is
computed from its upper end, by one expression, so both of its faces get the same number, and a
row of a face is the half-open range between two of them. All planes are set up once a face, in
float64. A pixel of a buffer holds one integer that orders by nearness, then by lowest face. The
greatest integer of several buffers is the one that a single buffer would hold, so it does not
matter who drew what.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import math

import numpy as np

from morphface.render.backends import NEAR
from morphface.render.backends.kernels.compiler import compiled, inlined

__all__ = ["draw_images", "draw_share", "resolve_rows"]

MASK = 0x7FFFFFFF
EMPTY = np.iinfo(np.int64).min  # key of a pixel that holds no face
SPANS = 512  # that are collected before they are entered: 16 kB, which stay in the nearest cache
SMALL = 16  # pixels that are looked at to see whether a face is hidden; larger ones are drawn


@compiled
def draw_images(
    worker, task, tasks, points, values, faces, perspective, cull, keys, touched, found, out
):
    """Draws one image in the buffer of this worker, and writes its result."""
    mesh = points[task], values[task if len(values) > 1 else 0], faces, perspective
    face, weights, depth = found
    own = keys[worker : worker + 1], touched[worker : worker + 1]
    own[1][:] = False
    _draw(mesh[0], faces, (0, len(faces)), perspective, cull, own[0][0], own[1][0])
    seen = face[task], weights[task], depth[task]
    _resolve(mesh, (0, face.shape[1]), own, seen, out[task])


@compiled
def draw_share(worker, task, tasks, corner, faces, perspective, cull, keys, touched):
    """Draws this task's share of the faces in the buffer of this worker."""
    share = task * len(faces) // tasks, (task + 1) * len(faces) // tasks
    _draw(corner, faces, share, perspective, cull, keys[worker], touched[worker])


@compiled
def resolve_rows(task, tasks, mesh, keys, touched, found, out):
    """Writes this task's rows of the result from the buffers of all workers."""
    height = len(found[0])
    rows = task * height // tasks, (task + 1) * height // tasks
    _resolve(mesh, rows, (keys, touched), found, out)


@inlined
def _first(edge, size):
    """Index of the first pixel whose centre is at `edge` or beyond, at most `size`."""
    return int(math.ceil(min(max(edge, 0.0), float(size)) - 0.5))


@compiled
def _draw(corner, faces, share, perspective, cull, keys, touched):
    """Enters a share of the faces where they are nearer than what the buffer holds so far."""
    first, last = share
    size = keys.shape
    spans, planes = np.empty((SPANS, 4), np.int32), np.empty((SPANS, 2))
    inner = np.empty(last - first, np.int32)  # faces that are seen from inside
    count = kept = 0
    for k in range(first, 2 * last - first):
        again = k >= last
        if again and k - last == kept:
            break
        f = np.int64(inner[k - last]) if again else k
        points = _corners(corner, faces, f)
        box = _box(points, size)
        if box[0] >= box[1] or box[2] >= box[3]:
            continue
        area = _area(points)
        if again:
            if _hidden(points, box, perspective, keys, touched):
                continue
        elif not _drawable(points, area, perspective):
            continue
        elif area > 0.0:
            inner[kept] = f
            kept += not cull
            continue
        q0, q_x, q_y = _plane(points, area, perspective)
        x0, y0, x1, y1, x2, y2, turned = _by_height(points, area)
        for row in range(box[0], box[1]):
            y = row + 0.5
            upper = y < y1
            xa, ya = (x0 if upper else x1), (y0 if upper else y1)
            xb, yb = (x1 if upper else x2), (y1 if upper else y2)
            long = x0 + (y - y0) * (x2 - x0) / (y2 - y0)
            short = xa + (y - ya) * (xb - xa) / (yb - ya)
            spans[count, 0], spans[count, 3] = row, f
            spans[count, 1] = begin = _first(short if turned else long, size[1])
            spans[count, 2] = end = _first(long if turned else short, size[1])
            planes[count, 0], planes[count, 1] = q0 + row * q_y, q_x
            count += begin < end
            if count == SPANS:
                _enter(spans, planes, count, keys, touched)
                count = 0
    _enter(spans, planes, count, keys, touched)


@inlined
def _corners(corner, faces, f):
    """x, y and z of the corners of face `f`."""
    f = np.uint64(f)
    a, b, c = np.uint64(faces[f, 0]), np.uint64(faces[f, 1]), np.uint64(faces[f, 2])
    x0, y0, z0 = float(corner[a, 0]), float(corner[a, 1]), float(corner[a, 2])
    x1, y1, z1 = float(corner[b, 0]), float(corner[b, 1]), float(corner[b, 2])
    x2, y2, z2 = float(corner[c, 0]), float(corner[c, 1]), float(corner[c, 2])
    return x0, y0, z0, x1, y1, z1, x2, y2, z2


@inlined
def _box(points, size):
    """The rows and columns whose pixel centres lie in a face's box: half-open ranges."""
    x0, y0, _, x1, y1, _, x2, y2, _ = points
    top, bottom = _first(min(y0, y1, y2), size[0]), _first(max(y0, y1, y2), size[0])
    return top, bottom, _first(min(x0, x1, x2), size[1]), _first(max(x0, x1, x2), size[1])


@inlined
def _area(points):
    """Twice the signed area on the screen; y points down: negative if seen from outside."""
    x0, y0, _, x1, y1, _, x2, y2, _ = points
    return (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)


@inlined
def _drawable(points, area, perspective):
    """Whether a face has an area and lies in front of the camera; a NaN fails each comparison."""
    z0, z1, z2 = points[2], points[5], points[8]
    if not -np.inf < area < np.inf or area == 0.0 or not math.isfinite(z0 + z1 + z2):
        return False
    return not perspective or min(z0, z1, z2) >= NEAR


@inlined
def _hidden(points, box, perspective, keys, touched):
    """Whether all pixels of a small box show something nearer than this face can be."""
    top, bottom, left, right = box
    if (bottom - top) * (right - left) > SMALL:
        return False
    z0, z1, z2 = points[2], points[5], points[8]
    nearest = min(z0, z1, z2)
    room = 1e-6 * max(abs(z0), abs(z1), abs(z2))  # for rounding
    limit = _key(1.0 / (nearest - room) if perspective else room - nearest, MASK)
    for row in range(top, bottom):
        if not touched[row]:
            return False
        for column in range(left, right):
            if keys[row, column] <= limit:
                return False
    return True


@inlined
def _plane(points, area, perspective):
    """Nearness at the centre of the first pixel, and its slopes along the screen.

    Nearness is linear on the screen: 1 / z for perspective, else -z.
    """
    x0, y0, z0, x1, y1, z1, x2, y2, z2 = points
    if perspective:
        scale = 1.0 / (z0 * z1 * z2 * area)
        d1, d2 = (z0 - z1) * z2 * scale, (z0 - z2) * z1 * scale
        q = z1 * z2 * area * scale
    else:
        scale = 1.0 / area
        q, d1, d2 = -z0, (z0 - z1) * scale, (z0 - z2) * scale
    q_x, q_y = d1 * (y2 - y0) - d2 * (y1 - y0), d2 * (x1 - x0) - d1 * (x2 - x0)
    return q + (0.5 - x0) * q_x + (0.5 - y0) * q_y, q_x, q_y


@inlined
def _by_height(points, area):
    """The corners from the top down, and whether that turned the face to a negative area."""
    x0, y0, _, x1, y1, _, x2, y2, _ = points
    x0, y0, x1, y1, area = _upper_first(x0, y0, x1, y1, area)
    x1, y1, x2, y2, area = _upper_first(x1, y1, x2, y2, area)
    x0, y0, x1, y1, area = _upper_first(x0, y0, x1, y1, area)
    return x0, y0, x1, y1, x2, y2, area < 0.0


@inlined
def _upper_first(x0, y0, x1, y1, area):
    """Two corners in the order of y; a swap turns the face over."""
    return (x1, y1, x0, y0, -area) if y1 < y0 else (x0, y0, x1, y1, area)


@inlined
def _enter(spans, planes, count, keys, touched):
    """Enters spans into the buffer, whose rows are emptied when they are first needed."""
    for k in range(count):
        row, begin, end, f = spans[k, 0], spans[k, 1], spans[k, 2], spans[k, 3]
        q_row, q_x = planes[k, 0], planes[k, 1]
        low = np.int64(MASK - f)  # of equal nearness, the lowest face has the greatest key
        if not touched[row]:
            touched[row] = True
            keys[row] = EMPTY
        for column in range(begin, end):
            key = _key(q_row + column * q_x, low)
            if key > keys[row, column]:
                keys[row, column] = key


@inlined
def _key(nearness, low):
    """Orders by nearness first and then by the low bits: a float's bits, made monotone."""
    rounded = np.float32(nearness)
    bits = np.int64(rounded.view(np.int32))
    return ((bits ^ ((bits >> 31) & MASK)) << 32) | low


@inlined
def _merge(keys, touched, row):
    """Gathers a row of all buffers in the first one; whether it holds anything."""
    found = touched[0, row]
    for worker in range(1, len(keys)):
        if not touched[worker, row]:
            continue
        if not found:
            found = True
            keys[0, row] = keys[worker, row]
            continue
        for column in range(keys.shape[2]):
            keys[0, row, column] = max(keys[0, row, column], keys[worker, row, column])
    return found


@compiled
def _resolve(mesh, rows, buffers, found, out):
    """Writes rows of the result from the face that each of their pixels holds.

    `out` gets colours, where the corners have any, and what is covered, if it has a channel more.
    """
    corner, value, faces, perspective = mesh
    (keys, touched), (face, weights, depth) = buffers, found
    painted, channels = len(value) > 0, out.shape[2]
    q0 = q1 = q2 = 1.0
    colours = _colours(value, faces, 0, False)
    for row in range(rows[0], rows[1]):
        if not _merge(keys, touched, row):
            face[row], weights[row], depth[row], out[row] = -1, 0.0, np.inf, 0.0
            continue
        y = row + 0.5
        held = np.int64(-1)
        for column in range(face.shape[1]):
            key = keys[0, row, column]
            if key == EMPTY:
                face[row, column], depth[row, column] = -1, np.inf
                weights[row, column, 0] = 0.0
                weights[row, column, 1] = 0.0
                weights[row, column, 2] = 0.0
                for channel in range(channels):
                    out[row, column, channel] = 0.0
                continue
            f = MASK - (key & MASK)
            face[row, column] = f
            if f != held:
                held = f
                x0, y0, z0, x1, y1, z1, x2, y2, z2 = _corners(corner, faces, f)
                y0, y1, y2 = y0 - y, y1 - y, y2 - y
                if perspective:  # as 1 / z is to the others
                    q0, q1, q2 = z1 * z2, z2 * z0, z0 * z1
                colours = _colours(value, faces, f, painted)
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
            if painted:
                _paint(out, row, column, (w0, w1, w2), colours)


@inlined
def _colours(value, faces, f, painted):
    """Three channels at the corners of face `f`."""
    if not painted:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    f = np.uint64(f)
    i, j, k = np.uint64(faces[f, 0]), np.uint64(faces[f, 1]), np.uint64(faces[f, 2])
    return (
        (float(value[i, 0]), float(value[i, 1]), float(value[i, 2])),
        (float(value[j, 0]), float(value[j, 1]), float(value[j, 2])),
        (float(value[k, 0]), float(value[k, 1]), float(value[k, 2])),
    )


@inlined
def _paint(out, row, column, weights, colours):
    """Blends the colours of the corners."""
    (w0, w1, w2), (a, b, c) = weights, colours
    out[row, column, 0] = w0 * a[0] + w1 * b[0] + w2 * c[0]
    out[row, column, 1] = w0 * a[1] + w1 * b[1] + w2 * c[1]
    out[row, column, 2] = w0 * a[2] + w1 * b[2] + w2 * c[2]
    if out.shape[2] > 3:
        out[row, column, 3] = 1.0
