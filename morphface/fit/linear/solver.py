"""Gauss-Newton on camera, identity and expression at once, seen at the landmarks alone.

The priors are those of a maximum a posteriori estimate whose noise is estimated along with it:
they weigh the noise's variance against the data, times the number of points that
share one error, and so vanish when the data is perfect.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float

from morphface.fit.linear.settings import LinearSettings
from morphface.fit.linear.weights import huber, outliers, roots
from morphface.fit.shared.bounded import Box, bounded_minimum, solve
from morphface.fit.shared.projection import CAMERA, Guess, linearise, moved, project
from morphface.fit.shared.rows import LandmarkRows

__all__ = ["Target", "Trace", "fit_pose", "fit_shape"]

_POSE_STEPS = 2
_SETTLED_TURN = 2e-3  # radians; the joint steps refine the pose
_BACKTRACKS = 4
_NEAR = 4.0  # times the noise: a residual above is still far from the solution
_RISE = 1.3  # of the residual in one step, from which the step is taken back by half


@dataclass(frozen=True, eq=False)
class Target:
    """What was observed, and what was expected.

    Args:
        points: x, y and depth in pixels; depth is 0 where there is none.
        weights: precision of x, y and depth relative to a perfect point; 0 where absent.
        prior: expected value of each coefficient.
        spread: standard deviation of each coefficient around it.
        focal: expected focal length in pixels.
        focal_spread: standard deviation of its logarithm; 0 holds it.
        depth_spread: standard deviation of the logarithm of the depth's scale.
        scale: pixels a millimetre, roughly.
    """

    points: Float[np.ndarray, "N 3"]
    weights: Float[np.ndarray, "N 3"]
    prior: Float[np.ndarray, " K"]
    spread: Float[np.ndarray, " K"]
    focal: float
    focal_spread: float
    depth_spread: float
    scale: float

    @property
    def count(self) -> int:
        """How many points take part."""
        return int((self.weights[:, 0] > 0).sum())

    def camera_prior(self, guess: Guess) -> tuple[Float[np.ndarray, "9"], Float[np.ndarray, "9"]]:
        """How far the camera's unknowns are from what was expected, and with what precision."""
        off, precision = np.zeros(CAMERA), np.full(CAMERA, 1e-12)
        off[6], off[8] = np.log(self.focal / guess.focal), -np.log(guess.depth_scale)
        precision[6] = 1.0 / max(self.focal_spread, 1e-6) ** 2
        precision[8] = 1.0 / max(self.depth_spread, 1e-6) ** 2
        return off, precision


@dataclass(frozen=True, eq=False)
class Trace:
    """How the fit went.

    Args:
        history: weighted residual after each step.
        settled: whether it did.
        precision: inverse covariance of the identity, given the landmarks and the priors.
    """

    history: tuple[float, ...] = ()
    settled: bool = False
    precision: Float[np.ndarray, "I I"] | None = None


@dataclass(frozen=True, eq=False)
class _Normal:
    """Normal equations of one step, without priors."""

    hessian: Float[np.ndarray, "L L"]
    gradient: Float[np.ndarray, " L"]
    squares: float
    entries: int
    weight: float


def fit_pose(rows: LandmarkRows, target: Target, guess: Guess, settings: LinearSettings) -> Guess:
    """The camera at the coefficients of `guess`, which stay."""
    points = rows.points(guess.coefficients)
    power = settings.sharing(target.count) * (settings.starting_noise * target.scale) ** 2
    for _ in range(_POSE_STEPS):
        residual = target.points - project(points, guess)
        scaled = np.sqrt(target.weights * huber(residual, target.weights[:, 0])[:, None])
        camera, _ = linearise(points, guess)
        flat = (camera * scaled[:, :, None]).reshape(-1, CAMERA)
        off, precision = target.camera_prior(guess)
        hessian = flat.T @ flat + np.diag(power * precision)
        gradient = flat.T @ (residual * scaled).ravel() + power * precision * off
        step = solve(hessian, gradient)
        guess = moved(guess, step, guess.coefficients)
        if np.abs(step[:3]).max() < _SETTLED_TURN:
            break
    return guess


def fit_shape(
    rows: LandmarkRows, target: Target, guess: Guess, settings: LinearSettings
) -> tuple[Guess, Trace]:
    """Camera, identity and expression together, from a `guess` whose camera is about right."""
    trace, box = Trace(), _box(rows, settings)
    floor = settings.least_noise * target.scale
    workspace = np.empty((len(rows.mean), 3, CAMERA + rows.rank))
    for count in range(settings.iterations):
        points = rows.points(guess.coefficients)
        residual = target.points - project(points, guess)
        weights = target.weights
        if count:
            trust = outliers(residual, weights[:, 0], settings.robust, floor)
            weights = weights * trust[:, None]
        root = roots(rows, points, weights, guess, settings)
        normal = _normal(linearise(points, guess), root, residual, rows.basis, workspace)
        noise = _noise(normal, target, settings)
        power = settings.sharing(target.count) * noise**2
        step = _step(target, guess, normal, power, box)
        before = float(np.sqrt(normal.squares / normal.weight))
        error = partial(_error, rows, target, root)
        guess, now = _advance(guess, step, _RISE * before, error)
        trace = replace(trace, history=(*trace.history, now))
        still = abs(before - now) <= settings.tolerance * now + floor
        if count and still and now <= _NEAR * noise + floor:
            trace = replace(trace, settled=True)
            break
    if not settings.iterations:
        return guess, trace
    power = max(power, settings.sharing(target.count) * (settings.surest * target.scale) ** 2)
    return guess, replace(trace, precision=_precision(target, guess, normal, power, rows.identity))


def _box(rows: LandmarkRows, settings: LinearSettings) -> Box:
    """Bounds of all unknowns; those of the camera have none."""
    free = np.full(CAMERA, np.inf)
    return Box(
        lower=np.concatenate([-free, rows.lower]),
        upper=np.concatenate([free, rows.upper]),
        ball=np.concatenate([np.zeros(CAMERA, dtype=bool), rows.statistical]),
        radius=settings.ellipsoid(int(rows.statistical.sum())),
    )


def _normal(
    derivatives: tuple[np.ndarray, np.ndarray],
    root: np.ndarray,
    residual: np.ndarray,
    basis: np.ndarray,
    workspace: np.ndarray,
) -> _Normal:
    """Normal equations; `workspace` holds the Jacobian, as fresh memory costs time."""
    camera, inner = derivatives
    np.matmul(root, camera, out=workspace[:, :, :CAMERA])
    np.matmul(root @ inner, basis, out=workspace[:, :, CAMERA:])
    flat = workspace.reshape(-1, workspace.shape[2])
    weighted = (root @ residual[..., None]).ravel()
    powers = (root**2).sum(axis=2)
    return _Normal(
        hessian=flat.T @ flat,
        gradient=flat.T @ weighted,
        squares=float(weighted @ weighted),
        entries=int((powers > 0).sum()),
        weight=float(powers.sum()),
    )


def _step(
    target: Target, guess: Guess, normal: _Normal, power: float, box: Box
) -> Float[np.ndarray, " L"]:
    """What to add to camera and coefficients, with priors that weigh `power`."""
    off, precision = target.camera_prior(guess)
    off = np.concatenate([off, target.prior - guess.coefficients])
    precision = power * np.concatenate([precision, 1.0 / target.spread**2])
    here = np.concatenate([np.zeros(CAMERA), guess.coefficients])
    gradient = normal.gradient + precision * (off + here) + normal.hessian @ here
    return bounded_minimum(normal.hessian + np.diag(precision), gradient, box) - here


def _precision(
    target: Target, guess: Guess, normal: _Normal, power: float, identity: int
) -> Float[np.ndarray, "I I"]:
    """Inverse covariance of the identity, camera and expression being unknown.

    It is the Schur complement of theirs in the curvature of the posterior.
    """
    _, camera = target.camera_prior(guess)
    curvature = normal.hessian / max(power, 1e-300)
    curvature += np.diag(np.concatenate([camera, 1.0 / target.spread**2]))
    own = np.arange(CAMERA, CAMERA + identity)
    rest = np.delete(np.arange(len(curvature)), own)
    across = curvature[np.ix_(rest, own)]
    explained = across.T @ solve(curvature[np.ix_(rest, rest)], across)
    return curvature[np.ix_(own, own)] - explained


def _noise(normal: _Normal, target: Target, settings: LinearSettings) -> float:
    """Standard deviation of a screen coordinate, or the assumed one if points are too few.

    It is what least squares without any prior would leave, so that it does not feed on the pull
    of the priors that it weighs.
    """
    unknowns = len(normal.gradient)
    if normal.entries < 1.5 * unknowns:
        return settings.starting_noise * target.scale
    diagonal = np.diag(normal.hessian)
    damped = normal.hessian + np.diag(1e-9 * diagonal + 1e-12 * diagonal.mean())
    left = normal.squares - float(normal.gradient @ solve(damped, normal.gradient))
    freedom = normal.weight * (normal.entries - unknowns) / normal.entries
    return max(float(np.sqrt(max(left, 0.0) / freedom)), settings.least_noise * target.scale)


def _advance(
    guess: Guess, step: np.ndarray, allowed: float, error: Callable[[Guess], float]
) -> tuple[Guess, float]:
    """The guess after `step` and its error, or after a part of it if the error is not allowed."""
    for _ in range(_BACKTRACKS):
        there = moved(guess, step[:CAMERA], guess.coefficients + step[CAMERA:])
        now = error(there)
        if now <= allowed:
            break
        step = step / 2
    return there, now


def _error(rows: LandmarkRows, target: Target, root: np.ndarray, guess: Guess) -> float:
    """Weighted root-mean-square residual in pixels; infinite for a head behind the camera."""
    points = rows.points(guess.coefficients)
    if not (points @ guess.rotation[2] + guess.translation[2]).max() < 0:
        return np.inf
    weighted = root @ (target.points - project(points, guess))[..., None]
    return float(np.sqrt((weighted**2).sum() / (root**2).sum()))
