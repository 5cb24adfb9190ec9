"""Bounded, regularised least squares of a model's bases to surfaces in correspondence."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import lsq_linear
from scipy.spatial.transform import Rotation
from torch import Tensor

from morphface.models.conversion.registration import Surface, fit_similarity, land
from morphface.models.morphable import MorphableModel

__all__ = ["Fit", "Task", "fit_surfaces"]

_PRIOR = 0.004
"""Squared millimetres a point that one squared standard deviation must save."""
_WEIGHT_PRIOR = 0.05
"""The same for one squared expression weight between bounds."""
_SLIDE = 0.05
"""How much a difference along the surface counts once nearest points are used."""
_TURNS = 4
"""Times that a model which is not linear is linearised anew."""
_FIRST, _ROUNDS = 2, 6
"""Rounds to corresponding points, and all rounds."""

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Task:
    """What a model is fitted to: a neutral face, and what expressions add to it in T frames.

    Args:
        model: the one to fit.
        vertices: those of its vertices that have a counterpart.
        neutral: their counterparts without expression, in the source's frame.
        offsets: what the expression of each frame adds to them.
        trust: how much each counts.
        surface: the source's skin without expression.
    """

    model: MorphableModel
    vertices: Int[Array, " N"]
    neutral: Float[Array, "N 3"]
    offsets: Float[Array, "T N 3"]
    trust: Float[Array, " N"]
    surface: Surface

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.offsets)


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients, and the rigid motion from the fitted model's frame to the source's.

    Args:
        identity: coefficients in standard deviations.
        expression: coefficients within their bounds.
        rotation: `points @ rotation.T + shift` are in the source's frame.
        shift: in millimetres.
    """

    identity: Float[Array, " I"]
    expression: Float[Array, "T E"]
    rotation: Float[Array, "3 3"]
    shift: Float[Array, "3"]

    def apply(self, points: Float[Array, "N 3"]) -> Float[Array, "N 3"]:
        """Points of the fitted model in the source's frame."""
        return points @ self.rotation.T + self.shift


def fit_surfaces(task: Task) -> Fit:
    """Identity and motion from the neutral face, then each frame's expression.

    An expression is fitted to the source's offsets, not to its surface: what the target's
    identities cannot show is no expression.
    """
    fit = _start(task)
    for turn in range(_ROUNDS):
        fit = _neutral(task, fit, slide=turn >= _FIRST)
    return replace(fit, expression=np.stack([_frame(task, fit, k) for k in range(task.frames)]))


def _start(task: Task) -> Fit:
    mean = task.model.identity.mean.double().numpy()[task.vertices]
    rotation = fit_similarity(mean, task.neutral, task.trust).rotation
    share = task.trust / task.trust.sum()
    return Fit(
        identity=np.zeros(task.model.identity.rank),
        expression=np.zeros((task.frames, task.model.expression.rank)),
        rotation=rotation,
        shift=share @ task.neutral - rotation @ (share @ mean),
    )


def _neutral(task: Task, fit: Fit, *, slide: bool) -> Fit:
    """A better identity and motion, from nearest points if `slide`, else corresponding ones."""
    mean, directions = _identity(task)
    now = mean + np.tensordot(fit.identity, directions, 1)
    wanted = (task.neutral - fit.shift) @ fit.rotation
    trust, normal, along = task.trust, np.zeros_like(now), 1.0
    if slide:
        there = land(fit.apply(now), task.surface)
        nearest = (there.points - fit.shift) @ fit.rotation
        normal, along = there.normals @ fit.rotation, float(np.sqrt(_SLIDE))
        away = np.abs(((nearest - now) * normal).sum(1))
        reach = 2 * float(np.median(away)) + 0.5
        trust = trust * there.inside / (1 + (away / reach) ** 2)
        wanted = wanted + normal * ((nearest - wanted) * normal).sum(1, keepdims=True)
    scale = np.sqrt(trust / task.trust.sum())[:, None]

    def weighted(values: Float[Array, "K N 3"]) -> Float[Array, "R K"]:
        across = normal * (values * normal).sum(-1, keepdims=True)
        return (scale * (along * values + (1 - along) * across)).reshape(len(values), -1).T

    axes = np.eye(3)[:, None]
    moves = np.concatenate([np.cross(axes, now), np.broadcast_to(axes, (3, *now.shape))])
    rows = weighted(np.concatenate([directions, moves]))
    prior = np.r_[np.full(len(directions), _PRIOR), np.full(6, 1e-9)]
    right = rows.T @ weighted((wanted - mean)[None])[:, 0]
    identity, turn, step = np.split(
        np.linalg.solve(rows.T @ rows + np.diag(prior), right), [-6, -3]
    )
    return replace(
        fit,
        identity=identity,
        rotation=fit.rotation @ Rotation.from_rotvec(turn).as_matrix(),
        shift=fit.shift + fit.rotation @ step,
    )


def _frame(task: Task, fit: Fit, frame: int) -> Float[Array, " E"]:
    """The expression of one frame."""
    wanted = task.offsets[frame] @ fit.rotation
    scale = np.sqrt(task.trust / task.trust.sum())[:, None]
    bounds, prior = _bounds(task.model)
    found = fit.expression[frame]
    for _ in range(_TURNS):
        offset, directions = _expression(task, fit.identity, found)
        rows = (scale * directions).reshape(len(directions), -1)
        right = rows @ (scale * (wanted - offset)).ravel()
        found = _least(rows @ rows.T + np.diag(prior), right, *bounds)
        if task.model.linearised(*_tensors(fit.identity, found)) is task.model:
            break
    return found


def _identity(task: Task) -> tuple[Float[Array, "N 3"], Float[Array, "I N 3"]]:
    """Mean and directions of the neutral face at the vertices that count."""
    basis, rows = task.model.identity, task.vertices
    return basis.mean[rows].double().numpy(), basis.directions[:, rows].double().numpy()


def _expression(
    task: Task, identity: Float[Array, " I"], expression: Float[Array, " E"]
) -> tuple[Float[Array, "N 3"], Float[Array, "E N 3"]]:
    """What expressions add to this person's neutral face, to first order around `expression`."""
    x, e = _tensors(identity, expression)
    model, rows = task.model.linearised(x, e), task.vertices
    directions = model.expression.directions[:, rows].double().numpy()
    if model is task.model:
        return np.zeros((len(rows), 3)), directions
    neutral = task.model.vertices(x, torch.zeros_like(e))[rows].double().numpy()
    return model.identity.instance(x)[rows].double().numpy() - neutral, directions


def _tensors(*values: Array) -> tuple[Float[Tensor, " k"], ...]:
    return tuple(torch.from_numpy(value).float() for value in values)


def _bounds(model: MorphableModel) -> tuple[tuple[Array, Array], Float[Array, " E"]]:
    """Lower and upper bounds of the expression, and its prior."""
    low, high = model.expression.bounds.double().numpy().T
    statistical = ~(np.isfinite(low) & np.isfinite(high))
    return (low, high), np.where(statistical, _PRIOR, _WEIGHT_PRIOR)


def _least(hessian: Array, gradient: Array, low: Array, high: Array) -> Array:
    """Minimises `x H x / 2 - g x` between bounds."""
    factor = cholesky(hessian, lower=True)
    right = solve_triangular(factor, gradient, lower=True)
    free = solve_triangular(factor.T, right, lower=False)
    if ((free >= low) & (free <= high)).all():
        return free
    wide = np.maximum(high, low + 1e-9)
    return lsq_linear(factor.T, right, (low, wide), method="bvls").x.clip(low, high)
