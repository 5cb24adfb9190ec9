"""Landmarks for the solver: how much each counts, seen from where the fit stands."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from morphface.fit.analysis.energies import Markers
from morphface.fit.analysis.sampling import Samples
from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.analysis.state import Look
from morphface.fit.analysis.surface import Surface
from morphface.fit.linear.settings import LinearSettings
from morphface.fit.linear.weights import outliers, roots
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.gaze import eye_angles
from morphface.fit.shared.projection import Guess
from morphface.fit.shared.result import FitResult
from morphface.fit.shared.rows import landmark_rows
from morphface.landmarks.schemes import SCHEMES
from morphface.models import MorphableModel

__all__ = ["Detected", "detected", "eyes_hidden", "iris_gaze", "markers_at"]

_IRIS_NOISE = 0.5  # millimetres
_HIDDEN = 0.1  # trust of a landmark of an iris up to which something is before it
_LIDS = "right_eye", "left_eye"


@dataclass(frozen=True, eq=False)
class Detected:
    """The landmarks of a photo and what the linear fit says of their errors.

    The errors are judged once: were the landmarks judged by a fit that pixels have moved, pixels
    would take them along.

    Args:
        model: that has them.
        scheme: of the landmarks.
        targets: in pixels; zero where absent.
        middle: the principal point.
        trust: of the points of the face, outliers counting little.
        irises: trust of the points of the eyeballs.
        scale: pixels a millimetre.
        noise: standard deviation of a coordinate of the face, in pixels.
    """

    model: MorphableModel
    scheme: str
    targets: Float[np.ndarray, "N 2"]
    middle: Float[np.ndarray, "2"]
    trust: Float[np.ndarray, " N"]
    irises: Float[np.ndarray, " N"]
    scale: float
    noise: float


def detected(
    model: MorphableModel, start: FitResult, look: Look, settings: PhotometricSettings
) -> Detected:
    """The landmarks of `start`, whose look is given."""
    rows = landmark_rows(model, start.landmarks.scheme)
    trust = np.clip(to_numpy(start.landmarks.confidence), 0.0, 1.0) * rows.confidence
    targets = np.where(trust[:, None] > 0, to_numpy(start.landmarks.points), 0.0)
    residual = np.where(trust[:, None] > 0, to_numpy(start.predicted) - targets, 0.0)
    skin, guess = trust * rows.surface, _guess(look)
    scale = float(-guess.focal / guess.translation[2])
    noise = settings.least_landmark_noise * scale
    if (skin > 0).any():
        length = np.linalg.norm(residual[skin > 0], axis=1)
        noise = max(float(np.median(length)) / 1.177, noise)
        skin = skin * outliers(residual, skin, LinearSettings().robust, noise)
    return Detected(
        model=model,
        scheme=start.landmarks.scheme,
        targets=targets,
        middle=to_numpy(start.camera.principal),
        trust=skin,
        irises=trust * ~rows.surface,
        scale=scale,
        noise=noise,
    )


def markers_at(
    marks: Detected, surface: Surface, look: Look, settings: PhotometricSettings
) -> Markers:
    """The landmarks with their weights at a look.

    Points of the contour slide along it, and hidden points count little.
    """
    rows, guess = landmark_rows(marks.model, marks.scheme), _guess(look)
    points = rows.points(guess.coefficients)
    weights = marks.trust[:, None] * [1.0, 1.0, 0.0]
    root = roots(rows, points, weights, guess, LinearSettings())[:, :2, :2]
    share = np.full(len(root), settings.independent_points / max(float((marks.trust > 0).sum()), 1))
    groups = SCHEMES[marks.scheme].groups if marks.scheme in SCHEMES else {}
    for name in _LIDS:
        lids = list(groups.get(name, ()))
        share[lids] = settings.independent_lids / max(len(lids), 1)
    root = root * (np.sqrt(np.minimum(share, 1.0)) / marks.noise)[:, None, None]
    for eye in rows.eyes:
        one = np.sqrt(marks.irises[eye.points] / len(eye.points)) / (_IRIS_NOISE * marks.scale)
        root[eye.points] = one[:, None, None] * np.eye(2)
    return _placed(marks, surface, root)


def iris_gaze(marks: Detected, look: Look) -> tuple[Float[Tensor, "2"] | None, ...]:
    """(yaw, pitch) of each eye that the landmarks of its iris say, None where there are none."""
    rows, guess = landmark_rows(marks.model, marks.scheme), _guess(look)
    points = rows.points(guess.coefficients)
    flat = (marks.targets - marks.middle) * [1.0, -1.0] / guess.focal
    rays = np.column_stack([flat, -np.ones(len(flat))]) @ guess.rotation
    viewpoint = -guess.translation @ guess.rotation
    out: list[Float[Tensor, 2] | None] = []
    for eye in rows.eyes:
        centre = eye.centre + eye.basis @ guess.coefficients[: rows.identity]
        seen = eye.points[marks.irises[eye.points] > 0]
        if not len(seen):
            out.append(None)
            continue
        found = eye_angles(points[seen] - centre, viewpoint - centre, rays[seen])
        out.append(torch.from_numpy(found).to(look.gaze))
    return tuple(out) or (None, None)


def eyes_hidden(marks: Detected) -> bool:
    """Whether something is before all landmarks of irises."""
    eyes = landmark_rows(marks.model, marks.scheme).eyes
    trust = [float(marks.irises[eye.points].max()) for eye in eyes if len(eye.points)]
    return bool(trust) and 0 < max(trust) <= _HIDDEN


def _guess(look: Look) -> Guess:
    return Guess(
        rotation=to_numpy(look.rotation),
        translation=to_numpy(look.translation),
        focal=float(look.focal),
        depth_offset=0.0,
        depth_scale=1.0,
        coefficients=to_numpy(torch.cat([look.identity, look.expression])),
    )


def _placed(marks: Detected, surface: Surface, root: Float[np.ndarray, "N 2 2"]) -> Markers:
    embedding = marks.model.landmark_embedding(marks.scheme)
    flip = np.array([[1.0, -1.0], [-1.0, 1.0]])  # the screen's y points down, that of roots up

    def tensor(values: Float[np.ndarray, "..."]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(surface.mean)

    weights = embedding.barycentric.to(surface.mean)
    samples = Samples(
        corners=surface.place[embedding.triangles.long().to(weights.device)],
        weights=weights,
        pixel=torch.zeros(len(weights), dtype=torch.long, device=weights.device),
        trust=torch.ones_like(weights[:, 0]),
    )
    return Markers(samples, tensor(marks.targets), tensor(root * flip))
