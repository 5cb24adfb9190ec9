"""The minimum of a quadratic in a box and a ball: the inner step of the linear fit."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float

__all__ = ["Box", "bounded_minimum", "solve"]

_ROUNDS = 12
_HALVINGS = 20


@dataclass(frozen=True, eq=False)
class Box:
    """Where a solution may lie.

    Args:
        lower, upper: bounds of each unknown, may be infinite.
        ball: which unknowns together are at most `radius` long.
        radius: that length.
    """

    lower: Float[np.ndarray, " K"]
    upper: Float[np.ndarray, " K"]
    ball: Bool[np.ndarray, " K"]
    radius: float

    def length(self, x: Float[np.ndarray, " K"]) -> float:
        """Length of the part of `x` that the ball holds."""
        return float(np.linalg.norm(x[self.ball]))


def bounded_minimum(
    hessian: Float[np.ndarray, "K K"], gradient: Float[np.ndarray, " K"], box: Box
) -> Float[np.ndarray, " K"]:
    """The x in `box` at which `x' hessian x / 2 - gradient' x` is least.

    `hessian` must be positive definite. The ball is held by its Lagrange multiplier, which is
    searched only where the minimum of the box alone leaves it.

    Raises:
        numpy.linalg.LinAlgError: it is not.
    """
    x = _box_minimum(hessian, gradient, box)
    if box.length(x) <= box.radius:
        return x
    diagonal = np.diag(hessian)[box.ball]
    low, high = -12.0, 6.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        x = _box_minimum(
            hessian + np.diag(box.ball * diagonal.mean() * 10.0**middle), gradient, box
        )
        low, high = (middle, high) if box.length(x) > box.radius else (low, middle)
    x[box.ball] *= min(1.0, box.radius / max(box.length(x), 1e-12))
    return x


def _box_minimum(hessian: np.ndarray, gradient: np.ndarray, box: Box) -> np.ndarray:
    """Without the ball. Unknowns without bounds are eliminated: they need no search."""
    tied = np.isfinite(box.lower) | np.isfinite(box.upper)
    x = np.empty_like(gradient)
    across = hessian[np.ix_(~tied, tied)]
    solved = solve(hessian[np.ix_(~tied, ~tied)], np.column_stack([gradient[~tied], across]))
    x[tied] = _active_set(
        hessian[np.ix_(tied, tied)] - across.T @ solved[:, 1:],
        gradient[tied] - across.T @ solved[:, 0],
        box.lower[tied],
        box.upper[tied],
    )
    x[~tied] = solved[:, 0] - solved[:, 1:] @ x[tied]
    return x


def _active_set(
    hessian: np.ndarray, gradient: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray:
    """Minimum between bounds.

    What leaves them is held at its bound, what is held and would move inwards is let go, until
    neither happens.
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
    hessian: Float[np.ndarray, "K K"], gradient: Float[np.ndarray, " K *n"]
) -> Float[np.ndarray, " K *n"]:
    """The x with `hessian x = gradient`, for a positive definite hessian.

    Raises:
        numpy.linalg.LinAlgError: it is not.
    """
    if len(hessian) == 0:
        return gradient
    factor, failed = torch.linalg.cholesky_ex(torch.from_numpy(hessian))
    if failed:
        raise np.linalg.LinAlgError("hessian is not positive definite")
    columns = torch.from_numpy(gradient if gradient.ndim == 2 else gradient[:, None])
    x: Float[np.ndarray, " K *n"] = torch.cholesky_solve(columns, factor).numpy()
    return x.reshape(gradient.shape)
