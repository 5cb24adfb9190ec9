"""From what the solver found to what the caller gets: gaze, predicted landmarks, parameters."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from morphface.fit.linear.problem import Problem
from morphface.fit.linear.solver import Trace
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.errors import landmark_error
from morphface.fit.shared.gaze import eye_angles, eye_rotation
from morphface.fit.shared.projection import Guess
from morphface.fit.shared.result import FitResult
from morphface.fit.shared.turns import rotation_vector
from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters

__all__ = ["assemble"]


def assemble(problem: Problem, guess: Guess, trace: Trace) -> FitResult:
    """The result of a fit, before anybody judged it."""
    seen, device = _look(problem, guess), problem.landmarks.points.device

    def tensor(values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    count, reflectance = problem.rows.identity, problem.model.reflectance
    rank = 0 if reflectance is None else reflectance.rank
    precision = trace.precision if problem.identity is None else None
    found = guess.coefficients[:count] if problem.identity is None else problem.identity
    parameters = FaceParameters(
        identity=tensor(found[None]),
        expression=tensor(guess.coefficients[None, count:]),
        reflectance=torch.zeros(1, rank, device=device),
        illumination=torch.zeros(1, 9, 3, device=device),
        rotation=tensor(rotation_vector(guess.rotation)[None]),
        translation=tensor(guess.translation[None]),
        gaze=tensor(seen.gaze[None]),
    )
    return FitResult(
        parameters=parameters,
        camera=_camera(problem, guess, device),
        landmarks=problem.landmarks,
        predicted=tensor(seen.screen),
        landmark_nme=landmark_error(problem.landmarks, seen.screen, seen.counted),
        converged=True,
        reason="",
        history=trace.history,
        identity_precision=None if precision is None else tensor(precision),
    )


def _camera(problem: Problem, guess: Guess, device: torch.device) -> Camera:
    camera = problem.camera
    if not problem.focal_known:
        camera = replace(camera, focal=torch.tensor(guess.focal))
    return camera if device.type == "cpu" else camera.to(device)


@dataclass(frozen=True, eq=False)
class _Seen:
    """The fitted landmarks with the eyes turned."""

    gaze: Float[np.ndarray, "2 2"]
    screen: Float[np.ndarray, "N 2"]
    counted: Bool[np.ndarray, " N"]


def _look(problem: Problem, guess: Guess) -> _Seen:
    rows, trust = problem.rows, problem.trust > 0
    points = rows.points(guess.coefficients)
    rays = np.column_stack([problem.screen / guess.focal, -np.ones(len(points))]) @ guess.rotation
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
    flat = np.column_stack([-guess.focal * x / z, guess.focal * y / z])
    return _Seen(gaze, flat + to_numpy(problem.camera.principal), counted & trust)
