"""Search for patches of a picture that look alike, and what they vote for.

PatchMatch (Barnes et al. 2009, section 3): good shifts are handed on to neighbours and tried
around at random.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["match", "vote"]


@compiled
def _distance(image, worth, whole, y, x, v, u, radius, limit):
    """Mean square between the patches around two pixels; none where it is beyond a limit.

    The second must be one of the `whole`, whose patches are known.
    """
    rows, columns = worth.shape
    if v < 0 or u < 0 or v >= rows or u >= columns or not whole[v, u]:
        return np.float32(1e30)
    total, count = np.float32(0.0), np.float32(0.0)
    most = limit * np.float32((2 * radius + 1) ** 2)
    for dy in range(-radius, radius + 1):
        if total > most:
            return np.float32(1e30)
        for dx in range(-radius, radius + 1):
            b, a = y + dy, x + dx
            if b < 0 or a < 0 or b >= rows or a >= columns:
                continue
            weight = worth[b, a]
            count += weight
            for c in range(image.shape[2]):
                off = image[b, a, c] - image[v + dy, u + dx, c]
                total += weight * off * off
    return total / max(count, np.float32(1e-3))


@compiled
def match(image, worth, whole, targets, shifts, costs, radius, far, rounds, nearness, seed):
    """Improves the shifts from each target to a patch like its own.

    `worth` is what each pixel of a patch counts, `whole` are pixels around which a patch is known,
    `targets` are rows and columns in reading order, `shifts` a map of rows and columns to go;
    `nearness` is what a shift as long as the picture costs.
    """
    rows, columns = worth.shape
    state = np.uint32(seed * 747796405 + 2891336453)
    for k in range(len(targets)):
        y, x = targets[k]
        v, u = y + shifts[y, x, 0], x + shifts[y, x, 1]
        away = nearness * ((v - y) ** 2 + (u - x) ** 2) / (rows * rows)
        none = np.float32(1e30)
        found = _distance(image, worth, whole, y, x, v, u, radius, none)
        costs[y, x] = found + away
    for turn in range(rounds):
        step = 1 if turn % 2 == 0 else -1
        for i in range(len(targets)):
            k = i if step == 1 else len(targets) - 1 - i
            y, x = targets[k]
            best, by, bx = costs[y, x], shifts[y, x, 0], shifts[y, x, 1]
            for axis in range(2):
                b, a = (y - step, x) if axis == 0 else (y, x - step)
                if b < 0 or a < 0 or b >= rows or a >= columns:
                    continue
                dy, dx = shifts[b, a, 0], shifts[b, a, 1]
                if dy == 0 and dx == 0:
                    continue
                away = nearness * (dy * dy + dx * dx) / (rows * rows)
                left = np.float32(best - away)
                v, u = y + dy, x + dx
                cost = _distance(image, worth, whole, y, x, v, u, radius, left) + away
                if cost < best:
                    best, by, bx = cost, dy, dx
            reach = far
            while reach >= 1:
                state = np.uint32(state * np.uint32(1664525) + np.uint32(1013904223))
                dy = by + np.int32((state >> 8) % np.uint32(2 * reach + 1)) - reach
                state = np.uint32(state * np.uint32(1664525) + np.uint32(1013904223))
                dx = bx + np.int32((state >> 8) % np.uint32(2 * reach + 1)) - reach
                away = nearness * (dy * dy + dx * dx) / (rows * rows)
                left = np.float32(best - away)
                v, u = y + dy, x + dx
                cost = _distance(image, worth, whole, y, x, v, u, radius, left) + away
                if cost < best:
                    best, by, bx = cost, dy, dx
                reach //= 2
            costs[y, x], shifts[y, x, 0], shifts[y, x, 1] = best, by, bx


@compiled
def vote(source, known, worth, targets, shifts, costs, radius, sharp, out):
    """Gives every unknown pixel the mean of what the patches over it have there."""
    rows, columns = known.shape
    found = np.zeros(out.shape, np.float32)
    total = np.zeros((rows, columns), np.float32)
    for k in range(len(targets)):
        y, x = targets[k]
        if costs[y, x] > 1e29:
            continue
        share = (np.float32(np.exp(-costs[y, x] * sharp)) + np.float32(1e-4)) * worth[y, x]
        v, u = y + shifts[y, x, 0], x + shifts[y, x, 1]
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                b, a = y + dy, x + dx
                if b < 0 or a < 0 or b >= rows or a >= columns or known[b, a]:
                    continue
                weight = share / (1 + dy * dy + dx * dx)
                total[b, a] += weight
                for c in range(out.shape[2]):
                    found[b, a, c] += weight * source[v + dy, u + dx, c]
    for k in range(len(targets)):
        y, x = targets[k]
        for c in range(out.shape[2]):
            if total[y, x] > 0:
                out[y, x, c] = found[y, x, c] / total[y, x]
