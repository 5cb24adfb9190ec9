"""Texture lookup on a CPU: forward, and backward to both inputs.

The levels of a texture lie behind one another in `texels`; `levels` holds, for each, its first
texel, its height and its width. `spots` are the pixels to look up, those of image k from
`bounds[k]` to `bounds[k + 1]`; `level` holds, for every pixel, where between two levels it is, or
nothing for the finest level alone.

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
def look_up(task, tasks, texels, levels, uv, spots, bounds, level, wrap, out):
    """Writes the colour at each of this task's spots."""
    one = uv.dtype.type(1)
    for image in range(len(bounds) - 1):
        texel = texels[min(image, len(texels) - 1)]
        begin, count = bounds[image], bounds[image + 1] - bounds[image]
        for k in range(begin + task * count // tasks, begin + (task + 1) * count // tasks):
            spot = spots[k]
            finer, share = _blend(level, spot, len(levels))
            for step in range(2 if share > 0.0 else 1):
                a, b, c, d, across, down = _corners(uv, spot, levels, finer + step, wrap)
                weight = share if step else one - share
                upper, lower = weight * (one - down), weight * down
                wa, wb = upper * (one - across), upper * across
                wc, wd = lower * (one - across), lower * across
                for j in range(texel.shape[1]):
                    value = wa * texel[a, j] + wb * texel[b, j]
                    out[spot, j] += value + wc * texel[c, j] + wd * texel[d, j]


@compiled
def to_coordinates(task, tasks, texels, levels, uv, spots, bounds, level, wrap, grad, out):
    """Writes the gradient to `uv` at each of this task's spots."""
    one = uv.dtype.type(1)
    for image in range(len(bounds) - 1):
        texel = texels[min(image, len(texels) - 1)]
        begin, count = bounds[image], bounds[image + 1] - bounds[image]
        for k in range(begin + task * count // tasks, begin + (task + 1) * count // tasks):
            spot = spots[k]
            finer, share = _blend(level, spot, len(levels))
            for step in range(2 if share > 0.0 else 1):
                a, b, c, d, across, down = _corners(uv, spot, levels, finer + step, wrap)
                along_u, along_v = one - one, one - one
                for j in range(texel.shape[1]):
                    top, bottom = texel[b, j] - texel[a, j], texel[d, j] - texel[c, j]
                    left, right = texel[a, j] - texel[c, j], texel[b, j] - texel[d, j]
                    along_u += grad[spot, j] * (top + down * (bottom - top))
                    along_v += grad[spot, j] * (left + across * (right - left))
                weight = share if step else one - share
                out[spot, 0] += weight * along_u * uv.dtype.type(levels[finer + step, 2])
                out[spot, 1] += weight * along_v * uv.dtype.type(levels[finer + step, 1])


@compiled
def to_texels(task, tasks, levels, uv, spots, bounds, level, wrap, grad, out):
    """Adds the gradient to this task's range of texels, from all spots."""
    one = uv.dtype.type(1)
    begin = np.uint64(task * out.shape[1] // tasks)
    end = np.uint64((task + 1) * out.shape[1] // tasks)
    for image in range(len(bounds) - 1):
        texel = out[min(image, len(out) - 1)]
        for k in range(bounds[image], bounds[image + 1]):
            spot = spots[k]
            finer, share = _blend(level, spot, len(levels))
            for step in range(2 if share > 0.0 else 1):
                a, b, c, d, across, down = _corners(uv, spot, levels, finer + step, wrap)
                weight = share if step else one - share
                upper, lower = weight * (one - down), weight * down
                for j in range(grad.shape[1]):
                    value = grad[spot, j]
                    if begin <= a < end:
                        texel[a, j] += upper * (one - across) * value
                    if begin <= b < end:
                        texel[b, j] += upper * across * value
                    if begin <= c < end:
                        texel[c, j] += lower * (one - across) * value
                    if begin <= d < end:
                        texel[d, j] += lower * across * value
