"""Relaxation of a net whose free nodes become the mean of their neighbours."""

# The kernels are typed by numba, from their arguments.
# mypy: disable-error-code="no-untyped-def"

from morphface.render.backends.kernels.compiler import compiled

__all__ = ["relax"]


@compiled
def relax(task, tasks, values, held, count, sweeps, now, new):
    """Sweeps over the planes of this task, from one padded buffer to the other.

    The sweeps must be even in number: the result is where they began.
    """
    rows, columns = held.shape
    for plane in range(task, len(values), tasks):
        first, second, fixed = now[plane], new[plane], values[plane]
        for _ in range(sweeps):
            for y in range(rows):
                above, here, below = first[y], first[y + 1], first[y + 2]
                out = second[y + 1]
                for x in range(columns):
                    mean = (below[x + 1] + above[x + 1] + here[x + 2] + here[x]) / count[y, x]
                    out[x + 1] = fixed[y, x] if held[y, x] else mean
            first, second = second, first
