"""Texture lookup on a CPU: forward, and backward to both inputs, for one texture.

The levels of the texture lie behind one another in `texels`; `levels` holds, for each, its first
texel, its height and its width. `spots` are the pixels to look up; `level` holds, for every
pixel, where between two levels it is, or nothing for the finest level alone.

Backward to texels, a task owns a range of them and adds to no other, in the order of the spots:
no two threads write to one place, and the result does not depend on their number.

Coordinates keep their own precision, and indices of texels are unsigned, which spares a test for
negative ones at each access: together that makes a lookup twice as fast.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["look_up", "to_coordinates", "to_texels"]


@compiled
def _pair(position, size, wrap):
    """The two texels around `position` on an axis, and how far it is towards the second.

    A position that is no number has some texels of the axis, and a fraction that is none either.
    """
    number = type(position)
    zero, last = number(0), size - number(1)
    if wrap:
        position -= np.floor(position)
    place = position * size - number(0.5)
    low = np.floor(place)
    share, high = place - low, low + number(1)
    if wrap:
        low = last if low < zero else low
        high = zero if high > last else high
    # The order of comparisons is such that what is no number becomes zero.
    low, high = low if low > zero else zero, high if high > zero else zero
    low, high = low if low < last else last, high if high < last else last
    return np.uint64(low), np.uint64(high), share


@compiled
def _corners(uv, spot, levels, index, wrap):
    """The four texels around a position, the upper ones first, and its two fractions."""
    number = uv.dtype.type
    height, width = levels[index, 1], levels[index, 2]
    first = np.uint64(levels[index, 0])
    left, right, across = _pair(uv[spot, 0], number(width), wrap)
    upper, lower, down = _pair(number(1) - uv[spot, 1], number(height), wrap)
    upper, lower = first + upper * np.uint64(width), first + lower * np.uint64(width)
    return upper + left, upper + right, lower + left, lower + right, across, down


@compiled
def _blend(level, spot, count):
    """The finer of the two levels that a lookup blends, and the share of the coarser one."""
    if len(level) == 0 or not level[spot] > 0.0:
        return 0, level.dtype.type(0)
    place = min(level[spot], level.dtype.type(count - 1))
    finer = min(int(place), max(count - 2, 0))
    return finer, place - level.dtype.type(finer)


@compiled
def _part(spots, task, tasks):
    """This task's share of the spots."""
    return spots[task * len(spots) // tasks : (task + 1) * len(spots) // tasks]


@compiled
def look_up(task, tasks, texels, levels, uv, spots, level, wrap, out):
    """Adds the colour at each of this task's spots."""
    one = uv.dtype.type(1)
    for spot in _part(spots, task, tasks):
        finer, share = _blend(level, spot, len(levels))
        for step in range(2 if share > 0.0 else 1):
            a, b, c, d, across, down = _corners(uv, spot, levels, finer + step, wrap)
            weight = share if step else one - share
            upper, lower = weight * (one - down), weight * down
            wa, wb = upper * (one - across), upper * across
            wc, wd = lower * (one - across), lower * across
            for j in range(texels.shape[1]):
                value = wa * texels[a, j] + wb * texels[b, j]
                out[spot, j] += value + wc * texels[c, j] + wd * texels[d, j]


@compiled
def to_coordinates(task, tasks, texels, levels, uv, spots, level, wrap, grad, out):
    """Adds the gradient to `uv` at each of this task's spots."""
    number = uv.dtype.type
    for spot in _part(spots, task, tasks):
        finer, share = _blend(level, spot, len(levels))
        for step in range(2 if share > 0.0 else 1):
            a, b, c, d, across, down = _corners(uv, spot, levels, finer + step, wrap)
            along_u, along_v = number(0), number(0)
            for j in range(texels.shape[1]):
                top, bottom = texels[b, j] - texels[a, j], texels[d, j] - texels[c, j]
                left, right = texels[a, j] - texels[c, j], texels[b, j] - texels[d, j]
                along_u += grad[spot, j] * (top + down * (bottom - top))
                along_v += grad[spot, j] * (left + across * (right - left))
            weight = share if step else number(1) - share
            out[spot, 0] += weight * along_u * number(levels[finer + step, 2])
            out[spot, 1] += weight * along_v * number(levels[finer + step, 1])


@compiled
def to_texels(task, tasks, levels, uv, spots, level, wrap, grad, out):
    """Adds the gradient to this task's range of texels, from all spots."""
    begin, end = np.uint64(task * len(out) // tasks), np.uint64((task + 1) * len(out) // tasks)
    one = uv.dtype.type(1)
    for spot in spots:
        finer, share = _blend(level, spot, len(levels))
        for step in range(2 if share > 0.0 else 1):
            weight = share if step else one - share
            a, b, c, d, across, down = _corners(uv, spot, levels, finer + step, wrap)
            left, right = weight * (one - across), weight * across
            for j in range(grad.shape[1]):
                above, below = grad[spot, j] * (one - down), grad[spot, j] * down
                if begin <= a < end:
                    out[a, j] += left * above
                if begin <= b < end:
                    out[b, j] += right * above
                if begin <= c < end:
                    out[c, j] += left * below
                if begin <= d < end:
                    out[d, j] += right * below
