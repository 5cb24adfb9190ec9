"""The equations of heights on a grid of texels, compiled; `solve.py` says which they are."""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["add_rows", "diagonal", "gather", "push", "slopes", "without_albedo"]


@compiled
def add_rows(told, slopes, weight, left, right, paint):
    """Adds a photo's rows to both sides of each texel, and to what its albedo gets."""
    for n in range(len(told)):
        w, t = weight[n], told[n]
        x, y, z = slopes[n, 0], slopes[n, 1], slopes[n, 2]
        left[n, 0] += w * x * x
        left[n, 1] += w * x * y
        left[n, 2] += w * x * z
        left[n, 3] += w * y * y
        left[n, 4] += w * y * z
        left[n, 5] += w * z * z
        right[n, 0] += w * t * x
        right[n, 1] += w * t * y
        right[n, 2] += w * t * z
        paint[n, 0] += w * t
        paint[n, 1] += w * x
        paint[n, 2] += w * y
        paint[n, 3] += w * z
        paint[n, 4] += w


@compiled
def without_albedo(left, right, paint):
    """Takes the albedo out of both sides; `paint` becomes its equation, over its last number."""
    for n in range(len(left)):
        share = 1 / paint[n, 4]
        t, x, y, z = paint[n, 0], paint[n, 1], paint[n, 2], paint[n, 3]
        left[n, 0] -= share * x * x
        left[n, 1] -= share * x * y
        left[n, 2] -= share * x * z
        left[n, 3] -= share * y * y
        left[n, 4] -= share * y * z
        left[n, 5] -= share * z * z
        right[n, 0] -= share * t * x
        right[n, 1] -= share * t * y
        right[n, 2] -= share * t * z
        for k in range(4):
            paint[n, k] *= share


@compiled
def slopes(heights, out):
    """Slopes along columns and rows and the mean height of each texel, from its corners."""
    rows, columns = heights.shape
    for i in range(rows - 1):
        for j in range(columns - 1):
            p, q = heights[i, j], heights[i, j + 1]
            r, s = heights[i + 1, j], heights[i + 1, j + 1]
            out[i, j, 0] = 0.5 * (q - p + s - r)
            out[i, j, 1] = 0.5 * (r - p + s - q)
            out[i, j, 2] = 0.25 * (p + q + r + s)


@compiled
def push(cells, heights, out):
    """A times the slopes and the mean height of each texel; `cells` holds the six numbers of A."""
    rows, columns = heights.shape
    for i in range(rows - 1):
        for j in range(columns - 1):
            p, q = heights[i, j], heights[i, j + 1]
            r, s = heights[i + 1, j], heights[i + 1, j + 1]
            x, y = 0.5 * (q - p + s - r), 0.5 * (r - p + s - q)
            z = 0.25 * (p + q + r + s)
            c = cells[i, j]
            out[i, j, 0] = c[0] * x + c[1] * y + c[2] * z
            out[i, j, 1] = c[1] * x + c[3] * y + c[4] * z
            out[i, j, 2] = c[2] * x + c[4] * y + c[5] * z


@compiled
def gather(forces, hold, smooth, heights, out):
    """What texels put on their corners, and what holds these: each by itself, and to others."""
    rows, columns = heights.shape
    for i in range(rows):
        for j in range(columns):
            middle = heights[i, j]
            total = hold * middle
            if 0 < i < rows - 1 and 0 < j < columns - 1:
                around = heights[i - 1, j] + heights[i + 1, j]
                around += heights[i, j - 1] + heights[i, j + 1]
                total += smooth * (4.0 * middle - around)
            if i > 0 and j > 0:
                f = forces[i - 1, j - 1]
                total += 0.5 * (f[0] + f[1]) + 0.25 * f[2]
            if i > 0 and j < columns - 1:
                f = forces[i - 1, j]
                total += 0.5 * (f[1] - f[0]) + 0.25 * f[2]
            if i < rows - 1 and j > 0:
                f = forces[i, j - 1]
                total += 0.5 * (f[0] - f[1]) + 0.25 * f[2]
            if i < rows - 1 and j < columns - 1:
                f = forces[i, j]
                total += -0.5 * (f[0] + f[1]) + 0.25 * f[2]
            out[i, j] = total


@compiled
def diagonal(cells, hold, smooth, out):
    """Of the same matrix."""
    rows, columns = out.shape
    for i in range(rows):
        for j in range(columns):
            total = hold + 4.0 * smooth
            for a in range(max(i - 1, 0), min(i, rows - 2) + 1):
                for b in range(max(j - 1, 0), min(j, columns - 2) + 1):
                    x = 0.5 if b == j - 1 else -0.5
                    y = 0.5 if a == i - 1 else -0.5
                    c = cells[a, b]
                    total += c[0] * x * x + 2 * c[1] * x * y + c[3] * y * y + 0.0625 * c[5]
                    total += 0.5 * (c[2] * x + c[4] * y)
            out[i, j] = total
