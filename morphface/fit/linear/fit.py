"""From the landmarks of one face to its parameters and camera, without looking at a pixel.

After HeadGAN (Doukas et al. 2021, section 3.1), with two differences: identity, expression and a
perspective camera are estimated together, so that an open jaw does not leak into the pose, and
the noise of the landmarks is estimated with them, so that priors rule where points say little
and vanish where they are exact.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from torch import Tensor

from morphface.core.check import check_finite, check_shape
from morphface.core.errors import LandmarkError
from morphface.fit.linear.aside import Aside
from morphface.fit.linear.assemble import assemble
from morphface.fit.linear.problem import SMALLEST_SCALE, Problem, far_away, start
from morphface.fit.linear.settings import LinearSettings
from morphface.fit.linear.solver import Target, Trace, fit_pose, fit_shape
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.projection import Guess
from morphface.fit.shared.result import FitResult
from morphface.fit.shared.rows import LandmarkRows, landmark_rows, near_landmarks
from morphface.fit.shared.threads import one_thread
from morphface.geometry.camera import Camera
from morphface.geometry.focal import FocalLength, focal_pixels
from morphface.landmarks import Landmarks
from morphface.models import MorphableModel

__all__ = ["fit_linear"]

_LEAST_POINTS = 4
_LINEARISATIONS = 5
_LINEAR = 0.01  # mm between a model with joints and its first order that may be ignored


def fit_linear(
    model: MorphableModel,
    landmarks: Landmarks,
    *,
    size: tuple[int, int],
    focal: FocalLength | None = None,
    camera: Camera | None = None,
    settings: LinearSettings | None = None,
    identity: Float[Tensor, " I"] | None = None,
) -> FitResult:
    """Identity, expression, pose, gaze and camera of the face that has `landmarks`.

    The solve runs on the CPU in float64; the result is on the device of `landmarks.points`.

    Args:
        model: any model with an embedding of the landmarks' scheme.
        landmarks: of one face. Points of confidence 0 are absent and may hold anything.
        size: image height and width in pixels.
        focal: focal length in pixels, for example from EXIF, or a 35-mm equivalent as text, such
            as "50mm"; None estimates it around what `settings` expect.
        camera: that took the picture, where it is calibrated: its focal length counts, and its
            principal point, which may lie outside of the picture. None: the axis meets the middle.
        settings: weights and limits; None takes the defaults.
        identity: of a person who is known, held as it is; None finds it.

    Raises:
        ModelError: the model has no embedding of the landmarks' scheme.
        LandmarkError: there are no points, or not as many as the scheme has.
        ParameterError: a point that is present is not a finite number, or `focal` none that is
            believed, or `identity` is not finite.
        ShapeError: `identity` has not as many coefficients as the model.
    """
    settings = settings or LinearSettings()
    rows = landmark_rows(model, landmarks.scheme)
    _check(landmarks, rows)
    expected = settings.focal_mean * max(size) if focal is None else focal_pixels(focal, size)
    ahead = Camera.facing(size, focal=expected) if camera is None else camera
    lens_known = focal is not None or camera is not None
    known = None if identity is None else _known(model, identity)
    rows = rows if known is None else rows.of_person(known)
    problem = Problem(model, landmarks, rows, ahead, lens_known, settings, known)
    if camera is None:
        return _judged(problem)
    aside = Aside(landmarks, camera)
    return aside.turned_back(_judged(replace(problem, landmarks=aside.landmarks())))


def _judged(problem: Problem) -> FitResult:
    """The fit, and whether it may be trusted."""
    problem, guess, trace, reason = _solve(problem)
    out = assemble(problem, guess, trace)
    reason = reason or _verdict(problem, out, guess, trace)
    return replace(out, converged=not reason, reason=reason)


def _known(model: MorphableModel, identity: Tensor) -> Float[np.ndarray, " I"]:
    check_shape("identity", identity, model.identity.rank)
    check_finite("identity", identity)
    return to_numpy(identity)


def _check(landmarks: Landmarks, rows: LandmarkRows) -> None:
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


def _solve(problem: Problem) -> tuple[Problem, Guess, Trace, str]:
    """The fit, its history, and why there is none if there is none.

    The problem comes back with the rows of the model around the solution.
    """
    rows, usable = problem.rows, problem.usable
    away = far_away(rows, float(problem.camera.focal))
    if usable < _LEAST_POINTS:
        reason = f"only {usable} landmarks can be used, a pose needs {_LEAST_POINTS}"
        return problem, away, Trace(), reason
    target, guess = start(problem)
    if target.scale < SMALLEST_SCALE:
        return problem, away, Trace(), "the landmarks lie on one spot"
    try:
        with one_thread(), np.errstate(all="ignore"):
            guess = fit_pose(rows, target, guess, problem.settings)
            problem, guess, trace = _settle(problem, target, guess)
    except np.linalg.LinAlgError:
        return problem, away, Trace(), "the fit has no solution"
    if not guess.finite:
        return problem, away, trace, "the fit is not finite"
    return problem, guess, trace, ""


def _settle(problem: Problem, target: Target, guess: Guess) -> tuple[Problem, Guess, Trace]:
    """The shape, solved again around each solution until a model with joints agrees with it."""
    guess, trace = fit_shape(problem.rows, target, guess, problem.settings)
    model = near_landmarks(problem.model, problem.landmarks.scheme)
    for _ in range(_LINEARISATIONS):
        parts = np.split(guess.coefficients, [problem.rows.identity])
        person = parts[0] if problem.identity is None else problem.identity
        near = model.linearised(*(model.identity.mean.new_tensor(c) for c in (person, parts[1])))
        if near is model or not guess.finite:
            break
        predicted = problem.rows.points(guess.coefficients)
        rows = landmark_rows(near, problem.landmarks.scheme)
        rows = rows if problem.identity is None else rows.of_person(problem.identity)
        problem = replace(problem, rows=rows)
        if np.abs(problem.rows.points(guess.coefficients) - predicted).max() < _LINEAR:
            break
        guess, again = fit_shape(problem.rows, target, guess, problem.settings)
        trace = replace(again, history=trace.history + again.history)
    return problem, guess, trace


def _verdict(problem: Problem, out: FitResult, guess: Guess, trace: Trace) -> str:
    """Why the fit may not be trusted; empty if it may."""
    settings, statistical = problem.settings, problem.rows.statistical
    length = float(np.linalg.norm(guess.coefficients[statistical]))
    if statistical.any() and length >= 0.999 * settings.ellipsoid(int(statistical.sum())):
        return "the shape is at the bound of its ellipsoid: this is hardly a face of the model"
    if not out.landmark_nme <= settings.largest_nme:
        return (
            f"landmarks are {out.landmark_nme:.3f} eye distances off, "
            f"at most {settings.largest_nme:g} is a fit"
        )
    if settings.iterations and not trace.settled:
        return f"the fit did not settle in {settings.iterations} steps"
    return ""
