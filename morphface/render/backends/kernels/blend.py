"""Interpolation across the visible faces, and its gradients.

As in `gradient.py`, each lane adds up gradients of attributes in a copy of its own.
"""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["blend", "blend_gradient"]

ROWS = 8  # that a lane takes at a time


@compiled
def blend(task, tasks, values, faces, face, weights, out, stray):
    """Writes this task's share of rows; `stray` gets a face that has no corners in `values`."""
    height, width, channels = out.shape[1], out.shape[2], out.shape[3]
    lines = len(out) * height
    for line in range(task * lines // tasks, (task + 1) * lines // tasks):
        image, row = line // height, line % height
        value = values[image if len(values) > 1 else 0]
        for column in range(width):
            f = face[image, row, column]
            if f < 0:
                for channel in range(channels):
                    out[image, row, column, channel] = 0.0
                continue
            if f >= len(faces):
                stray[0] = f
                continue
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            if min(i, j, k) < 0 or max(i, j, k) >= len(value):
                stray[0] = f
                continue
            b0 = weights[image, row, column, 0]
            b1 = weights[image, row, column, 1]
            b2 = weights[image, row, column, 2]
            for channel in range(channels):
                out[image, row, column, channel] = (
                    b0 * value[i, channel] + b1 * value[j, channel] + b2 * value[k, channel]
                )


@compiled
def blend_gradient(task, tasks, values, faces, face, weights, grad, to_values, to_weights):
    """The gradient of one lane of one image, given that of the result.

    `to_values` has the shape (B, lanes, V, C), and `to_weights` that of `weights`; one that has
    no rows is not wanted.
    """
    lanes = tasks // len(face)
    image, lane = task // lanes, task % lanes
    value = values[image if len(values) > 1 else 0]
    height, width, channels = grad.shape[1], grad.shape[2], grad.shape[3]
    if len(to_values):
        to_values[image, lane] = 0.0
    for row in range(height):
        if row // ROWS % lanes != lane:
            continue
        for column in range(width):
            f = face[image, row, column]
            if f < 0:
                if len(to_weights):
                    for k in range(3):
                        to_weights[image, row, column, k] = 0.0
                continue
            if channels == 3:  # colours: without the loop it takes a third less
                g0 = grad[image, row, column, 0]
                g1 = grad[image, row, column, 1]
                g2 = grad[image, row, column, 2]
                for k in range(3):
                    v = faces[f, k]
                    if len(to_weights):
                        total = g0 * value[v, 0] + g1 * value[v, 1] + g2 * value[v, 2]
                        to_weights[image, row, column, k] = total
                    if len(to_values):
                        b = weights[image, row, column, k]
                        to_values[image, lane, v, 0] += b * g0
                        to_values[image, lane, v, 1] += b * g1
                        to_values[image, lane, v, 2] += b * g2
                continue
            for k in range(3):
                vertex = faces[f, k]
                if len(to_weights):
                    total = 0.0
                    for channel in range(channels):
                        total += grad[image, row, column, channel] * value[vertex, channel]
                    to_weights[image, row, column, k] = total
                if len(to_values):
                    b = weights[image, row, column, k]
                    for channel in range(channels):
                        to_values[image, lane, vertex, channel] += (
                            b * grad[image, row, column, channel]
                        )
