"""What the landmarks of a frame say about a known person.

Weights are those of `fit_photometric`: noise that is judged from the residuals, contour points
that slide, outliers and hidden points that count little, and all of them together worth so many
independent points.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from morphface.fit.analysis.settings import PhotometricSettings
from morphface.fit.linear.settings import LinearSettings
from morphface.fit.linear.weights import outliers, roots
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.errors import landmark_error
from morphface.fit.shared.gaze import eye_rotation
from morphface.fit.shared.projection import Guess, linearise, project
from morphface.fit.shared.rows import LandmarkRows, landmark_rows, near_landmarks
from morphface.fit.video.person import Person
from morphface.fit.video.state import POSE, State
from morphface.landmarks import Landmarks

__all__ = ["Sighting", "errors_of", "point_terms", "predict", "sighting", "spots_of"]


@dataclass(frozen=True, eq=False)
class Sighting:
    """The landmarks of a frame, ready for the solver.

    Args:
        landmarks: as they were detected.
        rows: of the person's model at them.
        focal: of the camera.
        middle: its principal point.
        targets: positions from the principal point on, y up; zero where absent.
        trust: how much each counts; nothing on the eyeballs.
        settings: noise and worth.
    """

    landmarks: Landmarks
    rows: LandmarkRows
    focal: float
    middle: Float[np.ndarray, "2"]
    targets: Float[np.ndarray, "N 2"]
    trust: Float[np.ndarray, " N"]
    settings: PhotometricSettings

    def guess(self, state: State) -> Guess:
        """The state, as the solver of landmarks has it."""
        return Guess(state.rotation, state.translation, self.focal, 0.0, 1.0, state.expression)


def sighting(
    person: Person, landmarks: Landmarks, state: State, settings: PhotometricSettings
) -> Sighting:
    """Landmarks of a person.

    Args:
        person: whose they are.
        landmarks: of the frame.
        state: where the person is about; models with joints are linear around it.
        settings: noise and worth.
    """
    model = near_landmarks(person.model, landmarks.scheme)
    model = model.linearised(torch.zeros(0), torch.from_numpy(state.expression).float())
    rows = landmark_rows(model, landmarks.scheme)
    trust = np.clip(to_numpy(landmarks.confidence), 0.0, 1.0) * rows.confidence
    middle = to_numpy(person.camera.principal)
    targets = (to_numpy(landmarks.points) - middle) * [1.0, -1.0]
    targets[trust == 0] = 0.0
    return Sighting(
        landmarks=landmarks,
        rows=rows,
        focal=float(person.camera.focal),
        middle=middle,
        targets=targets,
        trust=trust * rows.surface,
        settings=settings,
    )


def errors_of(seen: Sighting, state: State) -> Float[np.ndarray, "N 2"]:
    """From each predicted landmark to the detected one, in pixels, y up."""
    guess = seen.guess(state)
    return seen.targets - project(seen.rows.points(state.expression), guess)[:, :2]


def point_terms(
    seen: Sighting,
    state: State,
    errors: Float[np.ndarray, "N 2"],
    explain: tuple[Float[np.ndarray, "N 2"], ...],
) -> tuple[Float[np.ndarray, "Q Q"], Float[np.ndarray, "Q n"]]:
    """Curvature and slopes of the landmarks' energy over pose and expression.

    Args:
        seen: the landmarks.
        state: where to linearise.
        errors: from `errors_of`; they say how much each point counts.
        explain: errors, or other motions, of which a slope is wanted each.
    """
    points, guess = seen.rows.points(state.expression), seen.guess(state)
    root = _roots(seen, points, guess, errors)
    camera, inner = linearise(points, guess)
    rows = np.empty((len(points), 2, POSE + seen.rows.rank))
    np.matmul(root, camera[:, :2, :POSE], out=rows[:, :, :POSE])
    np.matmul(root @ inner[:, :2], seen.rows.basis, out=rows[:, :, POSE:])
    flat = rows.reshape(-1, rows.shape[2])
    motions = np.stack(explain, axis=2)
    return flat.T @ flat, -(flat.T @ (root @ motions).reshape(len(flat), -1))


def _roots(
    seen: Sighting, points: np.ndarray, guess: Guess, errors: np.ndarray
) -> Float[np.ndarray, "N 2 2"]:
    """Square root of each point's weight."""
    settings, trust = seen.settings, seen.trust
    if not (trust > 0).any():
        return np.zeros((len(points), 2, 2))
    scale = float(-guess.focal / guess.translation[2])
    length = np.linalg.norm(errors[trust > 0], axis=1)
    noise = max(float(np.median(length)) / 1.177, settings.least_landmark_noise * scale)
    trust = trust * outliers(errors, trust, LinearSettings().robust, noise)
    root = roots(seen.rows, points, trust[:, None] * [1.0, 1.0, 0.0], guess, LinearSettings())
    share = min(1.0, settings.independent_points / max(float((seen.trust > 0).sum()), 1.0))
    out: np.ndarray = root[:, :2, :2] * (np.sqrt(share) / noise)
    return out


def predict(seen: Sighting, state: State) -> tuple[Float[np.ndarray, "N 2"], float]:
    """Where the face has the landmarks, in pixels, and their error in eye distances."""
    rows, points = seen.rows, seen.rows.points(state.expression)
    counted = rows.surface.copy()
    for side, eye in enumerate(rows.eyes):
        arms = points[eye.points] - eye.centre
        points[eye.points] = eye.centre + arms @ eye_rotation(state.gaze[side]).T
        counted[eye.points] = True
    spots = project(points, seen.guess(state))[:, :2] * [1.0, -1.0] + seen.middle
    present = to_numpy(seen.landmarks.confidence) * rows.confidence > 0
    return spots, landmark_error(seen.landmarks, spots, counted & present)


def spots_of(person: Person, scheme: str, state: State) -> Float[np.ndarray, "N 2"]:
    """Where a person's face has the landmarks of a scheme, in pixels.

    Args:
        person: whose they are.
        scheme: of the landmarks.
        state: of the person.
    """
    model = person.model.linearised(torch.zeros(0), torch.from_numpy(state.expression).float())
    points = landmark_rows(model, scheme).points(state.expression)
    guess = Guess(
        state.rotation, state.translation, float(person.camera.focal), 0.0, 1.0, state.expression
    )
    return project(points, guess)[:, :2] * [1.0, -1.0] + to_numpy(person.camera.principal)
