"""What costs time at every frame, compiled: normals, shading and covered areas."""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["cover", "normals", "shade", "stroke"]

LINES = 8  # scanlines in each row of pixels; along a scanline, areas are exact


@compiled
def normals(task, tasks, vertices, faces, out):
    """Area-weighted unit normals of this task's image, onto zeros."""
    point, total = vertices[task], out[task]
    for f in range(len(faces)):
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = point[j, 0] - point[i, 0], point[j, 1] - point[i, 1], point[j, 2] - point[i, 2]
        bx, by, bz = point[k, 0] - point[i, 0], point[k, 1] - point[i, 1], point[k, 2] - point[i, 2]
        x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        for vertex in (i, j, k):
            total[vertex, 0] += x
            total[vertex, 1] += y
            total[vertex, 2] += z
    for v in range(len(total)):
        length = np.sqrt(total[v, 0] ** 2 + total[v, 1] ** 2 + total[v, 2] ** 2)
        if length > 0:
            for axis in range(3):
                total[v, axis] /= length


@compiled
def shade(task, tasks, normal, albedo, faces, face, weights, light, shading, diffuse):
    """Irradiance, and albedo times it, of this task's share of rows, clamped at zero.

    `light` has ten rows an image: what multiplies the nine terms of `sh_basis`, without their
    constants, and what is always there. A result without rows is not wanted; background stays.
    """
    height, width = face.shape[1], face.shape[2]
    lines = len(face) * height
    for line in range(task * lines // tasks, (task + 1) * lines // tasks):
        image, row = line // height, line % height
        at, lamp = normal[image], light[image]
        for column in range(width):
            f = face[image, row, column]
            if f < 0:
                continue
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            b0 = weights[image, row, column, 0]
            b1 = weights[image, row, column, 1]
            b2 = weights[image, row, column, 2]
            x = b0 * at[i, 0] + b1 * at[j, 0] + b2 * at[k, 0]
            y = b0 * at[i, 1] + b1 * at[j, 1] + b2 * at[k, 1]
            z = b0 * at[i, 2] + b1 * at[j, 2] + b2 * at[k, 2]
            square = x * x + y * y + z * z
            scale = np.float32(1) / np.sqrt(square) if square > 0 else np.float32(0)
            x, y, z = x * scale, y * scale, z * scale
            for c in range(3):
                value = lamp[9, c] + lamp[0, c] + lamp[1, c] * y + lamp[2, c] * z + lamp[3, c] * x
                value += lamp[4, c] * x * y + lamp[5, c] * y * z
                value += lamp[6, c] * (np.float32(3) * z * z - np.float32(1)) + lamp[7, c] * x * z
                value = max(value + lamp[8, c] * (x * x - y * y), np.float32(0))
                if len(shading):
                    shading[image, row, column, c] = value
                if len(diffuse):
                    colour = b0 * albedo[i, c] + b1 * albedo[j, c] + b2 * albedo[k, c]
                    diffuse[image, row, column, c] = colour * value


@compiled
def cover(task, tasks, openings, discs, limits, depth, clipped, opening, disc):
    """Adds to `disc` how much of each pixel discs cover, and to `opening` the rest of openings.

    A point is in an opening if its outline goes around it clockwise: where lids cross
    there is none. Outlines are images x eyes x corners x 2; NaN in the first corner leaves one
    out. Pixels that see something nearer than the eye's limit stay. A disc that is `clipped`
    shows in its opening only.
    """
    cut = np.empty(openings.shape[2])
    turn = np.empty(openings.shape[2], np.int64)
    for image in range(task * len(openings) // tasks, (task + 1) * len(openings) // tasks):
        for eye in range(openings.shape[1]):
            outline, circle, limit = openings[image, eye], discs[image, eye], limits[image, eye]
            if not np.isfinite(outline[0, 0]):
                continue
            low, high = _range(outline, np.inf, -np.inf, 1)
            if not clipped:
                low, high = _range(circle, low, high, 1)
            for row in range(_pixel(low, len(depth[image])), _pixel(high + 1, len(depth[image]))):
                near, open_row, disc_row = depth[image, row], opening[image, row], disc[image, row]
                for line in range(LINES):
                    y = row + (line + 0.5) / LINES
                    count = _cuts(outline, y, cut, turn)
                    left, right = _extent(circle, y)
                    if not clipped:
                        _add(disc_row, left, right, near, limit)
                    winding = 0
                    for k in range(count - 1):
                        winding += turn[k]
                        if winding <= 0:
                            continue
                        start, end = cut[k], cut[k + 1]
                        first, last = max(start, left), min(end, right)
                        if first >= last:
                            _add(open_row, start, end, near, limit)
                            continue
                        _add(open_row, start, first, near, limit)
                        _add(open_row, last, end, near, limit)
                        if clipped:
                            _add(disc_row, first, last, near, limit)


@compiled
def stroke(task, tasks, outlines, limits, depth, width, opening, disc):
    """Makes `opening` a line of some `width` along outlines, where there is no disc."""
    for image in range(task * len(outlines) // tasks, (task + 1) * len(outlines) // tasks):
        opening[image] = 0.0
        for eye in range(outlines.shape[1]):
            outline, limit = outlines[image, eye], limits[image, eye]
            if not np.isfinite(outline[0, 0]) or _area(outline) < -1e-3:
                continue
            left, right = _range(outline, np.inf, -np.inf, 0)
            top, bottom = _range(outline, np.inf, -np.inf, 1)
            rows, columns = depth.shape[1], depth.shape[2]
            for row in range(_pixel(top - width, rows), _pixel(bottom + width + 1, rows)):
                for column in range(
                    _pixel(left - width, columns), _pixel(right + width + 1, columns)
                ):
                    if depth[image, row, column] < limit:
                        continue
                    away = _distance(outline, column + 0.5, row + 0.5)
                    part = min(max(width / 2 + 0.5 - away, 0.0), 1.0 - disc[image, row, column])
                    opening[image, row, column] = max(opening[image, row, column], part)


@compiled
def _range(outline, low, high, axis):
    """The least and the greatest coordinate, along with those given; NaN counts as none."""
    for k in range(len(outline)):
        if outline[k, axis] < low:
            low = outline[k, axis]
        if outline[k, axis] > high:
            high = outline[k, axis]
    return low, high


@compiled
def _pixel(place, size):
    """The pixel of a place, at most `size`."""
    return int(min(max(place, 0.0), float(size)))


@compiled
def _area(outline):
    """Positive for outlines that go around clockwise on the screen."""
    total = 0.0
    for k in range(len(outline)):
        total += outline[k - 1, 0] * outline[k, 1] - outline[k - 1, 1] * outline[k, 0]
    return total / 2


@compiled
def _distance(outline, x, y):
    """From a point to the nearest side of an outline."""
    best = np.inf
    for k in range(len(outline)):
        ax, ay = outline[k - 1, 0], outline[k - 1, 1]
        dx, dy = outline[k, 0] - ax, outline[k, 1] - ay
        square = dx * dx + dy * dy
        along = ((x - ax) * dx + (y - ay) * dy) / square if square > 0 else 0.0
        along = min(max(along, 0.0), 1.0)
        best = min(best, (ax + along * dx - x) ** 2 + (ay + along * dy - y) ** 2)
    return np.sqrt(best)


@compiled
def _cuts(outline, y, cut, turn):
    """Where a scanline crosses an outline, from left to right, and in which sense; how often."""
    count = 0
    for k in range(len(outline)):
        ax, ay = outline[k - 1, 0], outline[k - 1, 1]
        bx, by = outline[k, 0], outline[k, 1]
        if (ay <= y) == (by <= y):
            continue
        x, sense = _crossing(ax, ay, bx, by, y), 1 if by < ay else -1
        place = count
        while place > 0 and cut[place - 1] > x:
            cut[place], turn[place] = cut[place - 1], turn[place - 1]
            place -= 1
        cut[place], turn[place] = x, sense
        count += 1
    return count


@compiled
def _crossing(ax, ay, bx, by, y):
    """Where a side meets a scanline, the same to the last bit from either end."""
    if ay > by:
        ax, ay, bx, by = bx, by, ax, ay
    return ax + (y - ay) / (by - ay) * (bx - ax)


@compiled
def _extent(outline, y):
    """First and last crossing of a scanline with a convex outline; infinities if there is none."""
    left, right = np.inf, -np.inf
    for k in range(len(outline)):
        ax, ay = outline[k - 1, 0], outline[k - 1, 1]
        bx, by = outline[k, 0], outline[k, 1]
        if (ay <= y) != (by <= y):
            x = _crossing(ax, ay, bx, by, y)
            left, right = min(left, x), max(right, x)
    return left, right


@compiled
def _add(row, start, end, near, limit):
    """Adds a stretch of a scanline to the pixels that it covers, unless they see what is nearer."""
    start, end = max(start, 0.0), min(end, float(len(row)))
    if end <= start:
        return
    for column in range(int(start), min(int(end) + 1, len(row))):
        part = min(end, column + 1.0) - max(start, float(column))
        if part > 0 and near[column] >= limit:
            row[column] += part / LINES
