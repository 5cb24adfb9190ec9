"""Gauss-Newton on camera, identity and expression at once, seen at the landmarks alone.

Inside, the screen is centred on the principal point with y up, so that a point of the camera
frame projects to `focal * (x, y) / -z`. Depth is compared in pixels at the scale of the head's
origin, up to a scale and an offset that belong to each face.

The priors are those of a maximum a posteriori estimate whose noise is estimated along with it:
they weigh `noise ** 2 * correlation` against the data, and so vanish when the data is perfect.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from morphface.fit.bounded import bounded_minimum, solve
from morphface.fit.rows import LandmarkRows
from morphface.fit.settings import LinearSettings

__all__ = ["Guess", "Target", "Trace", "fit_pose", "fit_shape", "project"]

_CAMERA = 9  # rotation 3, translation 3, log focal, depth offset, log depth scale
_POSE_STEPS = 6


@dataclass(frozen=True, eq=False)
class Target:
    """What was observed.

    Args:
        points: x, y and depth in pixels; depth is 0 where there is none.
        weights: precision of x, y and depth relative to a perfect point; 0 where absent.
        prior: expected value of each coefficient.
        spread: standard deviation of each coefficient around it.
        focal: expected focal length in pixels.
        focal_spread: standard deviation of its logarithm; 0 holds it.
        scale: pixels a millimetre, roughly.
    """

    points: Float[np.ndarray, "N 3"]
    weights: Float[np.ndarray, "N 3"]
    prior: Float[np.ndarray, " K"]
    spread: Float[np.ndarray, " K"]
    focal: float
    focal_spread: float
    scale: float


@dataclass(frozen=True, eq=False)
class Guess:
    """Where the fit stands."""

    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]
    focal: float
    depth_offset: float
    depth_scale: float
    coefficients: Float[np.ndarray, " K"]


@dataclass(frozen=True, eq=False)
class Trace:
    """How the fit went: the weighted residual after each step, and whether it settled."""

    history: tuple[float, ...] = ()
    settled: bool = False


def project(rows: LandmarkRows, guess: Guess) -> Float[np.ndarray, "N 3"]:
    """Where the landmarks are seen, and their depth, as in `Target.points`."""
    return _project(rows.points(guess.coefficients), guess)


def _project(points: np.ndarray, guess: Guess) -> np.ndarray:
    turned = points @ guess.rotation.T
    x, y, z = (turned + guess.translation).T
    scale = -guess.depth_scale * guess.focal / guess.translation[2]
    depth = guess.depth_offset - scale * turned[:, 2]
    return np.stack([-guess.focal * x / z, -guess.focal * y / z, depth], axis=1)


def _linearise(points: np.ndarray, basis: np.ndarray, guess: Guess) -> np.ndarray:
    """Derivatives of `project` by camera and coefficients: N x 3 x (9 + K)."""
    turned = points @ guess.rotation.T
    x, y, z = (turned + guess.translation).T
    inverse = -guess.focal / z
    outer = np.zeros((len(points), 3, 3))
    outer[:, 0, 0] = outer[:, 1, 1] = inverse
    outer[:, 0, 2], outer[:, 1, 2] = -inverse * x / z, -inverse * y / z
    scale = -guess.depth_scale * guess.focal / guess.translation[2]
    outer[:, 2, 2] = -scale
    out = np.zeros((len(points), 3, _CAMERA + basis.shape[2]))
    out[:, :, :3] = outer @ _cross(-turned)
    out[:, :2, 3:6] = outer[:, :2]
    depth = -scale * turned[:, 2]
    out[:, 2, 5] = -depth / guess.translation[2]
    out[:, 0, 6], out[:, 1, 6], out[:, 2, 6] = inverse * x, inverse * y, depth
    out[:, 2, 7], out[:, 2, 8] = 1.0, depth
    np.matmul(outer @ guess.rotation, basis, out=out[:, :, _CAMERA:])
    return out


def _cross(v: np.ndarray) -> np.ndarray:
    out = np.zeros((len(v), 3, 3))
    out[:, 0, 1], out[:, 0, 2], out[:, 1, 2] = -v[:, 2], v[:, 1], -v[:, 0]
    return out - out.transpose(0, 2, 1)


def _moved(guess: Guess, step: np.ndarray, coefficients: np.ndarray) -> Guess:
    return Guess(
        rotation=_exponential(step[:3]) @ guess.rotation,
        translation=guess.translation + step[3:6],
        focal=guess.focal * float(np.exp(np.clip(step[6], -0.5, 0.5))),
        depth_offset=guess.depth_offset + float(step[7]),
        depth_scale=guess.depth_scale * float(np.exp(np.clip(step[8], -0.5, 0.5))),
        coefficients=coefficients,
    )


def _exponential(vector: np.ndarray) -> np.ndarray:
    angle = float(np.linalg.norm(vector))
    skew = _cross(vector[None])[0]
    a, b = (np.sin(angle) / angle, (1 - np.cos(angle)) / angle**2) if angle > 1e-6 else (1.0, 0.5)
    return np.eye(3) + a * skew + b * skew @ skew


def fit_pose(rows: LandmarkRows, target: Target, guess: Guess, settings: LinearSettings) -> Guess:
    """The camera at the coefficients of `guess`, which stay."""
    points, none = rows.points(guess.coefficients), np.zeros((len(rows.mean), 3, 0))
    for _ in range(_POSE_STEPS):
        residual = target.points - _project(points, guess)
        root = np.sqrt(target.weights * _huber(residual, target)[:, None])
        jacobian = _linearise(points, none, guess) * root[..., None]
        flat = jacobian.reshape(-1, _CAMERA)
        noise = settings.correlation * (settings.starting_noise * target.scale) ** 2
        hessian = flat.T @ flat + np.diag(noise * _camera_precision(target, settings))
        gradient = flat.T @ (residual * root).ravel() + noise * _camera_pull(
            target, guess, settings
        )
        step = np.linalg.solve(hessian, gradient)
        guess = _moved(guess, step, guess.coefficients)
        if np.abs(step[:3]).max() < 1e-4:
            break
    return guess


def _huber(residual: np.ndarray, target: Target) -> np.ndarray:
    length = np.linalg.norm(residual[:, :2], axis=1)
    used = target.weights[:, 0] > 0
    return np.minimum(1.0, 2.0 * np.median(length[used]) / np.maximum(length, 1e-12))


def _camera_precision(target: Target, settings: LinearSettings) -> np.ndarray:
    """Prior precision of the nine numbers of a camera; pose and depth offset are free."""
    out = np.full(_CAMERA, 1e-12)
    out[6] = 1.0 / max(target.focal_spread, 1e-6) ** 2
    out[8] = 1.0 / max(settings.depth_scale_spread, 1e-6) ** 2
    return out


def _camera_pull(target: Target, guess: Guess, settings: LinearSettings) -> np.ndarray:
    off = np.zeros(_CAMERA)
    off[6] = np.log(target.focal / guess.focal)
    off[8] = -np.log(guess.depth_scale)
    return off * _camera_precision(target, settings)


def fit_shape(
    rows: LandmarkRows, target: Target, guess: Guess, settings: LinearSettings
) -> tuple[Guess, Trace]:
    """Camera, identity and expression together, from a `guess` whose camera is about right."""
    tighten, trace, before = 1.0, Trace(), np.inf
    radius = identity_radius(rows.identity, settings)
    for count in range(settings.iterations):
        root = _roots(rows, target, guess, settings, robust=count > 0)
        guess = _joint_step(rows, target, guess, settings, root, tighten)
        length = float(np.linalg.norm(guess.coefficients[: rows.identity]))
        if length > radius:
            tighten *= 1.5 * (length / radius) ** 2
            guess = _shrunk(rows, guess, radius / length)
        error = _weighted(root, target.points - project(rows, guess))
        now = float(np.sqrt((error**2).sum() / (root**2).sum()))
        trace = replace(trace, history=(*trace.history, now))
        floor = settings.least_noise * target.scale
        if abs(before - now) <= settings.tolerance * now + floor and length <= radius * 1.01:
            return guess, replace(trace, settled=True)
        before = now
    return guess, trace


def identity_radius(rank: int, settings: LinearSettings) -> float:
    """The largest length of `rank` identity coefficients, in standard deviations."""
    return float(np.sqrt(rank + settings.radius * np.sqrt(2.0 * rank)))


def _shrunk(rows: LandmarkRows, guess: Guess, factor: float) -> Guess:
    coefficients = guess.coefficients.copy()
    coefficients[: rows.identity] *= factor
    return replace(guess, coefficients=coefficients)


def _joint_step(
    rows: LandmarkRows,
    target: Target,
    guess: Guess,
    settings: LinearSettings,
    root: np.ndarray,
    tighten: float,
) -> Guess:
    points = rows.points(guess.coefficients)
    residual = _weighted(root, target.points - _project(points, guess))
    jacobian = root @ _linearise(points, rows.basis, guess)
    flat = jacobian.reshape(-1, jacobian.shape[2])
    hessian, gradient = flat.T @ flat, flat.T @ residual.ravel()
    noise = _noise(hessian, gradient, residual, root, target, settings)
    power = settings.correlation * noise**2
    precision = np.concatenate([_camera_precision(target, settings), 1.0 / target.spread**2])
    precision[_CAMERA : _CAMERA + rows.identity] *= tighten
    gradient += hessian @ np.concatenate([np.zeros(_CAMERA), guess.coefficients])
    hessian.flat[:: len(hessian) + 1] += power * precision
    pull = np.concatenate([np.zeros(_CAMERA), target.prior]) * precision
    pull[:_CAMERA] = _camera_pull(target, guess, settings)
    gradient += power * pull
    free = np.full(_CAMERA, np.inf)
    step = bounded_minimum(
        hessian,
        gradient,
        np.concatenate([-free, rows.lower]),
        np.concatenate([free, rows.upper]),
    )
    return _moved(guess, step[:_CAMERA], step[_CAMERA:])


def _weighted(root: np.ndarray, residual: np.ndarray) -> np.ndarray:
    return (root @ residual[..., None])[..., 0]


def _roots(
    rows: LandmarkRows, target: Target, guess: Guess, settings: LinearSettings, *, robust: bool
) -> np.ndarray:
    """Square root of each point's 3 x 3 weight: who is seen, who slides, who is an outlier."""
    normals = rows.normals @ guess.rotation.T
    sight = rows.points(guess.coefficients) @ guess.rotation.T + guess.translation
    facing = -(normals * sight).sum(axis=1) / np.linalg.norm(sight, axis=1)
    weight = np.clip(0.3 + 1.5 * facing, settings.hidden_weight, 1.0)
    if robust:
        residual = target.points - project(rows, guess)
        weight = weight * _outliers(residual, target, settings)
    root = np.zeros((len(weight), 3, 3))
    scaled = np.sqrt(target.weights * weight[:, None])
    root[:, 0, 0], root[:, 1, 1], root[:, 2, 2] = scaled.T
    slides = (rows.confidence < 1) & (facing < 0.5)
    flat = normals[slides, :2]
    across = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    along = np.stack([-across[:, 1], across[:, 0]], axis=1) * np.sqrt(settings.contour_slack)
    root[slides, 0, :2] = across * scaled[slides, :1]
    root[slides, 1, :2] = along * scaled[slides, :1]
    return root


def _outliers(residual: np.ndarray, target: Target, settings: LinearSettings) -> np.ndarray:
    """Geman-McClure weights on the length of the residual over its robust deviation."""
    length = np.linalg.norm(residual[:, :2], axis=1)
    deviation = np.median(length[target.weights[:, 0] > 0]) / 1.177  # median of a 2-D normal
    scale = settings.robust * max(float(deviation), settings.least_noise * target.scale)
    return 1.0 / (1.0 + (length / scale) ** 2) ** 2


def _noise(
    hessian: np.ndarray,
    gradient: np.ndarray,
    residual: np.ndarray,
    root: np.ndarray,
    target: Target,
    settings: LinearSettings,
) -> float:
    """Standard deviation of a screen coordinate, or the assumed one if points are too few.

    It is what least squares without any prior would leave, so that it does not feed on the pull
    of the priors that it weighs.
    """
    entries, unknowns = int((np.abs(root).sum(axis=2) > 0).sum()), len(gradient)
    if entries < 1.5 * unknowns:
        return settings.starting_noise * target.scale
    damped = hessian.copy()
    damped.flat[:: unknowns + 1] *= 1.0 + 1e-9
    damped.flat[:: unknowns + 1] += 1e-12 * np.trace(hessian) / unknowns
    left = float((residual**2).sum()) - float(gradient @ solve(damped, gradient))
    freedom = float((root**2).sum()) * (entries - unknowns) / entries
    return max(float(np.sqrt(max(left, 0.0) / freedom)), settings.least_noise * target.scale)
