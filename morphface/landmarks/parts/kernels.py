"""The compiled heart of the assembly: the mean of a field along the lines between many pairs."""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

import numpy as np

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["write_means"]


@compiled
def write_means(points, pairs, fields, stride, thresholds, out):
    """For each pair of points the mean of a field along the line, of what counts; 0 for too little.

    `links.find_links` says what counts. Most pairs are of two faces, whose lines soon have more
    samples that do not count than may be: the others are not looked at.
    """
    limb, start, end = pairs
    along_least, passing, low, high = thresholds
    height, width = fields.shape[2:]
    for i in range(len(limb)):
        x, y = points[start[i]]
        right, down = points[end[i], 0] - x, points[end[i], 1] - y
        length = np.sqrt(right * right + down * down)
        far = max(abs(right), abs(down))
        count = min(max(np.rint(np.sqrt(5 * far)), low), high)
        missed, most = 0, count - passing * count + 1e-9
        total = 0.0
        for step in range(count):
            share = step / (count - 1)
            column = min(max(int((x + share * right) / stride), 0), width - 1)
            row = min(max(int((y + share * down) / stride), 0), height - 1)
            told = fields[limb[i], 0, row, column] * right + fields[limb[i], 1, row, column] * down
            told /= max(length, 1e-9)
            if told > along_least:
                total += told
            else:
                missed += 1
                if missed > most:
                    break
        out[i] = total / max(count - missed, 1) if missed <= most and missed < count else 0.0
