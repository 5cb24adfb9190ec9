"""From the landmarks of one face to its parameters and camera, without looking at a pixel.

After HeadGAN (Doukas et al. 2021, section 3.1), with two differences: identity, expression and a
perspective camera are estimated together, so that an open jaw does not leak into the pose, and
the noise of the landmarks is estimated with them, so that priors rule where points say little
and vanish where they are exact.
"""

from dataclasses import dataclass, replace

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite
from morphface.core.errors import LandmarkError, ParameterError
from morphface.fit.gaze import eye_angles, eye_rotation
from morphface.fit.projection import Guess
from morphface.fit.result import FitResult
from morphface.fit.rows import LandmarkRows, landmark_rows
from morphface.fit.settings import LinearSettings
from morphface.fit.solver import Target, Trace, fit_pose, fit_shape
from morphface.fit.start import rough_pose
from morphface.fit.threads import one_thread
from morphface.geometry.camera import Camera
from morphface.landmarks import SCHEMES, Landmarks, outer_eye_distance
from morphface.models import MorphableModel
from morphface.parameters import FaceParameters

__all__ = ["fit_linear"]

_LEAST_POINTS = 4


def fit_linear(
    model: MorphableModel,
    landmarks: Landmarks,
    *,
    size: tuple[int, int],
    focal: float | None = None,
    settings: LinearSettings | None = None,
) -> FitResult:
    """Identity, expression, pose, gaze and camera of the face that has `landmarks`.

    The solve runs on the CPU in float64; the result is on the device of `landmarks.points`.

    Args:
        model: any model with an embedding of the landmarks' scheme.
        landmarks: of one face. Points of confidence 0 are absent and may hold anything.
        size: image height and width in pixels.
        focal: focal length in pixels, for example from EXIF; None estimates it around the
            default of `Camera.facing`.
        settings: weights and limits; None takes the defaults.

    Raises:
        ModelError: the model has no embedding of the landmarks' scheme.
        LandmarkError: there are no points, or not as many as the scheme has.
        ParameterError: a point that is present, or `focal`, is not a finite number.
    """
    settings = settings or LinearSettings()
    rows = landmark_rows(model, landmarks.scheme)
    _check(landmarks, rows, focal)
    camera = Camera.facing(size, focal=focal)
    observed, weights = _observed(landmarks, rows, camera, settings)
    solvable = int((weights[:, 0] > 0).sum())
    if solvable < _LEAST_POINTS:
        guess = _far_away(rows, float(camera.focal))
        reason = f"only {solvable} landmarks can be used, a pose needs {_LEAST_POINTS}"
        return _result(model, landmarks, rows, camera, guess, Trace(), reason)
    target, guess = _start(landmarks, rows, observed, weights, camera, focal, settings)
    try:
        with one_thread():
            guess = fit_pose(rows, target, guess, settings)
            guess, trace = fit_shape(rows, target, guess, settings)
    except np.linalg.LinAlgError:
        return _result(model, landmarks, rows, camera, guess, Trace(), "the fit is not finite")
    camera = replace(camera, focal=torch.tensor(guess.focal))
    out = _result(model, landmarks, rows, camera, guess, trace, "")
    reason = _verdict(out, trace, rows, guess, settings)
    return replace(out, converged=not reason, reason=reason)


def _check(landmarks: Landmarks, rows: LandmarkRows, focal: float | None) -> None:
    if len(landmarks.points) == 0:
        raise LandmarkError("landmarks must have at least one point, got none")
    if len(landmarks.points) != len(rows.mean):
        raise LandmarkError(
            f"landmarks of scheme {landmarks.scheme!r} must have {len(rows.mean)} points, "
            f"got {len(landmarks.points)}"
        )
    present = landmarks.confidence > 0
    check_finite("landmarks.confidence", landmarks.confidence)
    check_finite("landmarks.points", landmarks.points[present])
    if landmarks.depth is not None:
        check_finite("landmarks.depth", landmarks.depth[present])
    if focal is not None and not (np.isfinite(focal) and focal > 0):
        raise ParameterError(f"focal must be a positive number of pixels, got {focal:g}")


def _numpy(tensor: Tensor) -> Float[np.ndarray, "..."]:
    return tensor.detach().cpu().double().numpy()


def _observed(
    landmarks: Landmarks, rows: LandmarkRows, camera: Camera, settings: LinearSettings
) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Targets and weights as the solver wants them: centred, y up."""
    trust = np.clip(_numpy(landmarks.confidence), 0.0, 1.0) * rows.confidence
    screen = (_numpy(landmarks.points) - _numpy(camera.principal)) * [1.0, -1.0]
    depth = np.zeros(len(screen)) if landmarks.depth is None else _numpy(landmarks.depth)
    observed = np.column_stack([screen, depth])
    observed[trust == 0] = 0.0
    weights = (trust * rows.surface)[:, None] * np.array([1.0, 1.0, settings.depth_weight])
    if landmarks.depth is None:
        weights[:, 2] = 0.0
    return observed, weights


def _start(
    landmarks: Landmarks,
    rows: LandmarkRows,
    observed: np.ndarray,
    weights: np.ndarray,
    camera: Camera,
    focal: float | None,
    settings: LinearSettings,
) -> tuple[Target, Guess]:
    prior, spread = _priors(landmarks, rows, settings)
    start = np.clip(np.zeros(rows.rank), rows.lower, rows.upper)
    length = float(camera.focal)
    toward = observed * [1.0, 1.0, -1.0]
    rotation, scale, seen = rough_pose(
        rows.points(start), toward, weights[:, 0], landmarks.depth is not None
    )
    distance = length / max(scale, 1e-9)
    guess = Guess(
        rotation=rotation,
        translation=np.array([seen[0] / scale, seen[1] / scale, -distance]),
        focal=length,
        depth_offset=0.0,
        depth_scale=1.0,
        coefficients=start,
    )
    spread_focal = settings.focal_spread if focal is None else 0.0
    return Target(observed, weights, prior, spread, length, spread_focal, scale), guess


def _priors(
    landmarks: Landmarks, rows: LandmarkRows, settings: LinearSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Expected value and standard deviation of each coefficient."""
    prior, spread = np.zeros(rows.rank), np.ones(rows.rank)
    bounded = np.isfinite(rows.lower) & np.isfinite(rows.upper)
    extent = np.where(bounded, rows.upper - rows.lower, 1.0)
    spread[bounded] = settings.expression_spread * np.maximum(extent[bounded], 1e-6)
    for index, name in enumerate(rows.names, start=rows.identity):
        if bounded[index] and name in landmarks.scores:
            prior[index] = rows.lower[index] + landmarks.scores[name] * extent[index]
            spread[index] = settings.score_spread * max(extent[index], 1e-6)
    return prior, spread


def _far_away(rows: LandmarkRows, focal: float) -> Guess:
    start = np.clip(np.zeros(rows.rank), rows.lower, rows.upper)
    return Guess(np.eye(3), np.array([0.0, 0.0, -600.0]), focal, 0.0, 1.0, start)


@dataclass(frozen=True, eq=False)
class _Seen:
    """The fitted landmarks with the eyes turned."""

    gaze: Float[np.ndarray, "2 2"]
    screen: Float[np.ndarray, "N 2"]
    counted: np.ndarray


def _look(landmarks: Landmarks, rows: LandmarkRows, camera: Camera, guess: Guess) -> _Seen:
    points = rows.points(guess.coefficients)
    trust = _numpy(landmarks.confidence) * rows.confidence > 0
    screen = (_numpy(landmarks.points) - _numpy(camera.principal)) * [1.0, -1.0]
    rays = np.column_stack([screen / guess.focal, -np.ones(len(screen))]) @ guess.rotation
    viewpoint = -guess.translation @ guess.rotation
    gaze, counted = np.zeros((2, 2)), rows.surface.copy()
    for side, eye in enumerate(rows.eyes):
        centre = eye.centre + eye.basis @ guess.coefficients[: rows.identity]
        seen = eye.points[trust[eye.points]]
        if len(seen):
            gaze[side] = eye_angles(points[seen] - centre, viewpoint - centre, rays[seen])
        turned = (points[eye.points] - centre) @ eye_rotation(gaze[side]).T
        points[eye.points], counted[eye.points] = centre + turned, True
    x, y, z = (points @ guess.rotation.T + guess.translation).T
    flat = np.column_stack([-guess.focal * x / z, guess.focal * y / z]) + _numpy(camera.principal)
    return _Seen(gaze, flat, counted & trust)


def _result(
    model: MorphableModel,
    landmarks: Landmarks,
    rows: LandmarkRows,
    camera: Camera,
    guess: Guess,
    trace: Trace,
    reason: str,
) -> FitResult:
    seen = _look(landmarks, rows, camera, guess)
    device = landmarks.points.device

    def tensor(values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    rank = 0 if model.reflectance is None else model.reflectance.rank
    parameters = FaceParameters(
        identity=tensor(guess.coefficients[None, : rows.identity]),
        expression=tensor(guess.coefficients[None, rows.identity :]),
        reflectance=torch.zeros(1, rank, device=device),
        illumination=torch.zeros(1, 9, 3, device=device),
        rotation=tensor(_vector(guess.rotation)[None]),
        translation=tensor(guess.translation[None]),
        gaze=tensor(seen.gaze[None]),
    )
    return FitResult(
        parameters=parameters,
        camera=camera.to(device),
        landmarks=landmarks,
        predicted=tensor(seen.screen),
        landmark_nme=_nme(landmarks, seen),
        converged=not reason,
        reason=reason,
        history=trace.history,
    )


def _vector(rotation: np.ndarray) -> np.ndarray:
    return roma.rotmat_to_rotvec(torch.from_numpy(rotation)).numpy()


def _nme(landmarks: Landmarks, seen: _Seen) -> float:
    points = _numpy(landmarks.points)
    if not seen.counted.any():
        return float("nan")
    error = np.linalg.norm(points - seen.screen, axis=1)[seen.counted].mean()
    present = _numpy(landmarks.confidence)[:, None] > 0
    complete = np.where(present, points, seen.screen)
    return float(error / max(_face_width(landmarks.scheme, complete), 1e-9))


def _face_width(scheme: str, points: np.ndarray) -> float:
    """Distance of the outer eye corners; of unknown schemes, half the extent of the points."""
    if scheme in SCHEMES:
        return float(outer_eye_distance(torch.from_numpy(points), scheme))
    return float(np.ptp(points, axis=0).max()) / 2


def _verdict(
    out: FitResult, trace: Trace, rows: LandmarkRows, guess: Guess, settings: LinearSettings
) -> str:
    """Why the fit may not be trusted; empty if it may."""
    limit, statistical = settings.largest_nme, rows.statistical
    length = float(np.linalg.norm(guess.coefficients[statistical]))
    if statistical.any() and length >= 0.999 * settings.ellipsoid(int(statistical.sum())):
        return "the shape is at the bound of its ellipsoid: this is hardly a face of the model"
    if not out.landmark_nme <= limit:
        return f"landmarks are {out.landmark_nme:.3f} eye distances off, at most {limit:g} is a fit"
    if settings.iterations and not trace.settled:
        return f"the fit did not settle in {settings.iterations} steps"
    return ""
