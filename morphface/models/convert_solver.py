"""Bounded, regularised least squares of a model's bases to surfaces in correspondence."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import lsq_linear
from scipy.spatial.transform import Rotation

from morphface.models.morphable import MorphableModel
from morphface.models.registration import Surface, fit_similarity, land

__all__ = ["Fit", "Task", "fit_surfaces"]

_PRIOR = 0.004
"""Squared millimetres a point that one squared standard deviation must save."""
_WEIGHT_PRIOR = 0.02
"""The same for one squared expression weight between bounds."""
_SLIDE = 0.05
"""How much a difference along the surface counts once nearest points are used."""
_KEYS = 6
"""Frames from which identity and motion are found; with them, each frame's expression."""
_FIRST, _ROUNDS = 2, 6
"""Rounds to corresponding points, and all rounds."""

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Task:
    """What a model is fitted to, in T frames.

    Args:
        model: the one to fit.
        vertices: those of its vertices that have a counterpart.
        places: their counterparts, in the source's frame.
        trust: how much each counts.
        surfaces: the source's skin in each frame.
    """

    model: MorphableModel
    vertices: Int[Array, " N"]
    places: Float[Array, "T N 3"]
    trust: Float[Array, " N"]
    surfaces: tuple[Surface, ...]


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


@dataclass(frozen=True, eq=False)
class _Bases:
    """The model at the vertices that count, in one frame, as a linear one."""

    mean: Float[Array, "N 3"]
    identity: Float[Array, "I N 3"]
    expression: Float[Array, "E N 3"]

    def at(self, identity: Float[Array, " I"], expression: Float[Array, " E"]) -> Array:
        moved = np.tensordot(identity, self.identity, 1)
        return self.mean + moved + np.tensordot(expression, self.expression, 1)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Weighted residuals of one frame: `identity x + expression e + motion m = right`."""

    identity: Float[Array, "R I"]
    expression: Float[Array, "R E"]
    motion: Float[Array, "R 6"]
    right: Float[Array, " R"]


def fit_surfaces(task: Task) -> Fit:
    """The coefficients whose faces lie nearest to the surfaces."""
    frames = len(task.surfaces)
    keys = np.unique(np.linspace(0, frames - 1, min(frames, _KEYS)).round().astype(int))
    fit = _start(task)
    for turn in range(_ROUNDS):
        fit = _joint(task, fit, list(keys), slide=turn >= _FIRST)
    for frame in sorted(set(range(frames)) - set(keys)):
        for turn in range(_FIRST - 1, _ROUNDS):
            fit = _alone(task, fit, frame, slide=turn >= _FIRST)
    return fit


def _start(task: Task) -> Fit:
    mean = task.model.identity.mean.double().numpy()[task.vertices]
    place = task.places.mean(0)
    rotation = fit_similarity(mean, place, task.trust).rotation
    share = task.trust / task.trust.sum()
    return Fit(
        identity=np.zeros(task.model.identity.rank),
        expression=np.zeros((len(task.surfaces), task.model.expression.rank)),
        rotation=rotation,
        shift=share @ place - rotation @ (share @ mean),
    )


def _joint(task: Task, fit: Fit, keys: list[int], *, slide: bool) -> Fit:
    """Identity, motion and the expressions of `keys`, all at once."""
    ranks = len(fit.identity), fit.expression.shape[1]
    head = ranks[0] + 6
    size = head + ranks[1] * len(keys)
    hessian, gradient = np.zeros((size, size)), np.zeros(size)
    for k, frame in enumerate(keys):
        rows = _rows(task, fit, frame, slide=slide)
        own = np.r_[0:head, head + k * ranks[1] : head + (k + 1) * ranks[1]]
        matrix = np.concatenate([rows.identity, rows.motion, rows.expression], axis=1)
        hessian[np.ix_(own, own)] += matrix.T @ matrix
        gradient[own] += matrix.T @ rows.right
    bounds, prior = _bounds(task.model)
    ridge = np.r_[np.full(ranks[0], _PRIOR), np.full(6, 1e-9), np.tile(prior, len(keys))]
    free = np.full(head, np.inf)
    low, high = (np.r_[sign * free, np.tile(side, len(keys))] for sign, side in bounds)
    solved = _least(hessian + np.diag(ridge), gradient, low, high)
    expression = fit.expression.copy()
    expression[keys] = solved[head:].reshape(len(keys), -1)
    turn, step = solved[ranks[0] : ranks[0] + 3], solved[ranks[0] + 3 : head]
    return Fit(
        solved[: ranks[0]],
        expression,
        fit.rotation @ Rotation.from_rotvec(turn).as_matrix(),
        fit.shift + fit.rotation @ step,
    )


def _alone(task: Task, fit: Fit, frame: int, *, slide: bool) -> Fit:
    """The expression of one frame, everything else held."""
    rows = _rows(task, fit, frame, slide=slide)
    bounds, prior = _bounds(task.model)
    right = rows.right - rows.identity @ fit.identity
    hessian = rows.expression.T @ rows.expression + np.diag(prior)
    low, high = (side for _, side in bounds)
    expression = fit.expression.copy()
    expression[frame] = _least(hessian, rows.expression.T @ right, low, high)
    return replace(fit, expression=expression)


def _rows(task: Task, fit: Fit, frame: int, *, slide: bool) -> _Rows:
    bases = _bases(task, fit, frame)
    now = bases.at(fit.identity, fit.expression[frame])
    wanted = (task.places[frame] - fit.shift) @ fit.rotation
    trust, normal = task.trust, np.zeros_like(now)
    if slide:
        there = land(fit.apply(now), task.surfaces[frame])
        nearest = (there.points - fit.shift) @ fit.rotation
        normal = there.normals @ fit.rotation
        away = np.abs(((nearest - now) * normal).sum(1))
        reach = 2 * float(np.median(away)) + 0.5
        trust = trust * there.inside / (1 + (away / reach) ** 2)
        wanted = wanted + normal * ((nearest - wanted) * normal).sum(1, keepdims=True)
    along = np.sqrt(_SLIDE) if slide else 1.0
    scale = np.sqrt(trust / task.trust.sum())[:, None]

    def weighted(values: Float[Array, "K N 3"]) -> Float[Array, "R K"]:
        across = normal * (values * normal).sum(-1, keepdims=True)
        metric = scale * (along * values + (1 - along) * across)
        return metric.reshape(len(values), -1).T

    axes = np.eye(3)[:, None]
    motion = np.concatenate([np.cross(axes, now), np.broadcast_to(axes, (3, *now.shape))])
    return _Rows(
        weighted(bases.identity),
        weighted(bases.expression),
        weighted(motion),
        weighted((wanted - bases.mean)[None])[:, 0],
    )


def _bases(task: Task, fit: Fit, frame: int) -> _Bases:
    """Around the present coefficients, should the model not be linear."""
    around = torch.from_numpy(fit.identity).float(), torch.from_numpy(fit.expression[frame]).float()
    model = task.model.linearised(*around) if hasattr(task.model, "linearised") else task.model
    rows = task.vertices
    return _Bases(
        model.identity.mean[rows].double().numpy(),
        model.identity.directions[:, rows].double().numpy(),
        model.expression.directions[:, rows].double().numpy(),
    )


def _bounds(model: MorphableModel) -> tuple[tuple[tuple[float, Array], ...], Array]:
    """Lower and upper bounds of the expression with their signs, and its prior."""
    low, high = model.expression.bounds.double().numpy().T
    statistical = ~(np.isfinite(low) & np.isfinite(high))
    prior = np.where(statistical, _PRIOR, _WEIGHT_PRIOR)
    return ((-1.0, low), (1.0, high)), prior


def _least(hessian: Array, gradient: Array, low: Array, high: Array) -> Array:
    """Minimises `x H x / 2 - g x` between bounds."""
    factor = cholesky(hessian, lower=True)
    free = solve_triangular(factor.T, solve_triangular(factor, gradient, lower=True), lower=False)
    if ((free >= low) & (free <= high)).all():
        return free
    right = solve_triangular(factor, gradient, lower=True)
    wide = np.maximum(high, low + 1e-9)
    return lsq_linear(factor.T, right, (low, wide), method="bvls").x.clip(low, high)
