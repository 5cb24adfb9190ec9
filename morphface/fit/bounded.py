"""The minimum of a quadratic in a box: the inner step of the linear fit."""

import numpy as np
from jaxtyping import Float
from scipy.linalg.lapack import dposv

__all__ = ["bounded_minimum", "solve"]

_ROUNDS = 12


def bounded_minimum(
    hessian: Float[np.ndarray, "K K"],
    gradient: Float[np.ndarray, " K"],
    lower: Float[np.ndarray, " K"],
    upper: Float[np.ndarray, " K"],
) -> Float[np.ndarray, " K"]:
    """The x in [lower, upper] at which `x' hessian x / 2 - gradient' x` is least.

    An active-set method: what leaves the box is held at its bound, what is held and would move
    inwards is let go, until neither happens. `hessian` must be positive definite.

    Raises:
        numpy.linalg.LinAlgError: it is not.
    """
    held = np.zeros(len(gradient), dtype=bool)
    x = np.zeros_like(gradient)
    for _ in range(_ROUNDS):
        free = ~held
        x[free] = solve(
            hessian[np.ix_(free, free)], gradient[free] - hessian[np.ix_(free, held)] @ x[held]
        )
        outside = free & ((x < lower) | (x > upper))
        x = np.clip(x, lower, upper)
        slope = hessian @ x - gradient
        inward = held & (((x <= lower) & (slope < 0)) | ((x >= upper) & (slope > 0)))
        if not (outside | inward).any():
            break
        held = (held | outside) & ~inward
    return x


def solve(
    hessian: Float[np.ndarray, "K K"], gradient: Float[np.ndarray, " K"]
) -> Float[np.ndarray, " K"]:
    """The x with `hessian x = gradient`, for a positive definite hessian.

    Raises:
        numpy.linalg.LinAlgError: it is not.
    """
    _, x, failed = dposv(hessian, gradient)
    if failed:
        raise np.linalg.LinAlgError("hessian is not positive definite")
    return x
