"""Landmarks for the solver: how much each counts, seen from where the fit stands."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.energies import Markers
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import Look
from morphface.fit.problem import to_numpy
from morphface.fit.projection import Guess, project
from morphface.fit.result import FitResult
from morphface.fit.rows import landmark_rows
from morphface.fit.settings import LinearSettings
from morphface.fit.weights import outliers, roots
from morphface.models import MorphableModel

__all__ = ["markers_of"]

_IRIS_NOISE = 0.5  # millimetres


def markers_of(
    model: MorphableModel, start: FitResult, look: Look, settings: PhotometricSettings
) -> Markers:
    """The landmarks of a photo with their weights at `look`.

    The noise of the detector is what the landmarks leave over now; outliers count little, points
    of the contour slide along it, and hidden points count little.
    """
    rows, linear = landmark_rows(model, start.landmarks.scheme), LinearSettings()
    guess = _guess(look)
    trust = np.clip(to_numpy(start.landmarks.confidence), 0.0, 1.0) * rows.confidence
    targets = np.where(trust[:, None] > 0, to_numpy(start.landmarks.points), 0.0)
    points = rows.points(guess.coefficients)
    middle = to_numpy(start.camera.principal)
    seen = np.column_stack([(targets - middle) * [1.0, -1.0], np.zeros(len(targets))])
    residual = seen - project(points, guess)
    scale = float(-guess.focal / guess.translation[2])
    skin = trust * rows.surface
    noise = _noise(residual, skin, settings.least_landmark_noise * scale)
    kept = outliers(residual, skin, linear.robust, noise) if (skin > 0).any() else skin
    root = roots(rows, points, (skin * kept)[:, None] * [1.0, 1.0, 0.0], guess, linear)[:, :2, :2]
    share = min(1.0, settings.independent_points / max(float((skin > 0).sum()), 1.0))
    root = root * (np.sqrt(share) / noise)
    for eye in rows.eyes:
        one = np.sqrt(trust[eye.points] / len(eye.points)) / (_IRIS_NOISE * scale)
        root[eye.points] = one[:, None, None] * np.eye(2)
    return _assembled(model, start, look, targets, root)


def _guess(look: Look) -> Guess:
    coefficients = torch.cat([look.identity, look.expression])
    return Guess(
        to_numpy(look.rotation),
        to_numpy(look.translation),
        float(look.focal),
        0.0,
        1.0,
        to_numpy(coefficients),
    )


def _noise(residual: np.ndarray, trust: np.ndarray, least: float) -> float:
    length = np.linalg.norm(residual[trust > 0, :2], axis=1)
    return max(float(np.median(length)) / 1.177, least) if len(length) else least


def _assembled(
    model: MorphableModel, start: FitResult, look: Look, targets: np.ndarray, root: np.ndarray
) -> Markers:
    embedding = model.landmark_embedding(start.landmarks.scheme)
    flip = np.array([[1.0, -1.0], [-1.0, 1.0]])  # the screen's y points down, that of roots up

    def tensor(values: Float[np.ndarray, "..."]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(look.focal)

    weights = embedding.barycentric.to(look.focal)
    samples = Samples(
        corners=embedding.triangles.long().to(weights.device),
        weights=weights,
        pixel=torch.zeros(len(weights), dtype=torch.long, device=weights.device),
        trust=torch.ones_like(weights[:, 0]),
    )
    return Markers(samples, tensor(targets), tensor(root * flip))
