"""One face to fit: what was observed, what is expected, and a first guess."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from morphface.fit.linear.settings import LinearSettings
from morphface.fit.linear.solver import Target
from morphface.fit.linear.start import rough_pose
from morphface.fit.shared.arrays import to_numpy
from morphface.fit.shared.coefficients import coefficient_priors
from morphface.fit.shared.projection import Guess
from morphface.fit.shared.rows import LandmarkRows
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.models import MorphableModel

__all__ = ["SMALLEST_SCALE", "Problem", "far_away", "start"]

SMALLEST_SCALE = 0.03  # pixels a millimetre: a head of 7 pixels


@dataclass(frozen=True, eq=False)
class Problem:
    """What a fit is given.

    Args:
        model: to be fitted.
        landmarks: to fit to.
        rows: of the model at these landmarks.
        camera: the one expected.
        focal_known: whether its focal length is more than a default.
        settings: weights and limits.
        identity: of the person, where it is known; `rows` are then those of this person.
    """

    model: MorphableModel
    landmarks: Landmarks
    rows: LandmarkRows
    camera: Camera
    focal_known: bool
    settings: LinearSettings
    identity: Float[np.ndarray, " I"] | None = None

    @property
    def trust(self) -> Float[np.ndarray, " N"]:
        """How much each point counts: the detector's confidence times the embedding's."""
        return np.clip(to_numpy(self.landmarks.confidence), 0.0, 1.0) * self.rows.confidence

    @property
    def usable(self) -> int:
        """How many points the shape can be solved from."""
        return int((self.trust[self.rows.surface] > 0).sum())

    @property
    def screen(self) -> Float[np.ndarray, "N 2"]:
        """The points from the principal point on, y up."""
        return (to_numpy(self.landmarks.points) - to_numpy(self.camera.principal)) * [1.0, -1.0]


def start(problem: Problem) -> tuple[Target, Guess]:
    """What the solver aims at, and the mean face roughly posed."""
    observed, weights = _observed(problem)
    rows, settings = problem.rows, problem.settings
    mean = _mean(rows)
    rotation, scale, seen = rough_pose(
        rows.points(mean),
        observed * [1.0, 1.0, -1.0],
        weights[:, 0],
        problem.landmarks.depth is not None,
    )
    prior, spread = coefficient_priors(
        problem.model.expression,
        problem.landmarks.scores,
        expression_spread=settings.expression_spread,
        score_spread=settings.score_spread,
    )
    identity = np.ones(rows.identity)
    length, doubt = _expected_focal(problem, max(scale, SMALLEST_SCALE))
    target = Target(
        points=observed,
        weights=weights,
        prior=np.concatenate([0 * identity, prior]),
        spread=np.concatenate([identity, spread]),
        focal=length,
        focal_spread=doubt,
        depth_spread=settings.depth_scale_spread,
        scale=scale,
    )
    place = np.array([*seen, -length]) / max(scale, SMALLEST_SCALE)
    return target, Guess(rotation, place, length, 0.0, 1.0, mean)


def _expected_focal(problem: Problem, scale: float) -> tuple[float, float]:
    """Focal length in pixels and the standard deviation of its logarithm, at pixels a millimetre.

    Without a known one, the expected angle of view and the expected distance of a head whose size
    in pixels is seen, multiplied as densities.
    """
    settings, length = problem.settings, float(problem.camera.focal)
    if problem.focal_known:
        return length, 0.0
    lens, place = (1 / max(s, 1e-6) ** 2 for s in (settings.focal_spread, settings.distance_spread))
    share = place / (lens + place)
    expected = length ** (1 - share) * (settings.distance_mean * scale) ** share
    return expected, float((lens + place) ** -0.5)


def far_away(rows: LandmarkRows, focal: float) -> Guess:
    """The mean face, 600 mm before the camera: what is returned where nothing can be fitted."""
    return Guess(np.eye(3), np.array([0.0, 0.0, -600.0]), focal, 0.0, 1.0, _mean(rows))


def _mean(rows: LandmarkRows) -> np.ndarray:
    return np.clip(np.zeros(rows.rank), rows.lower, rows.upper)


def _observed(problem: Problem) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Points with depth, and the weights of x, y and depth."""
    trust, depth = problem.trust, problem.landmarks.depth
    away = np.zeros(len(trust)) if depth is None else to_numpy(depth)
    observed = np.column_stack([problem.screen, away])
    observed[trust == 0] = 0.0
    relative = [1.0, 1.0, 0.0 if depth is None else problem.settings.depth_weight]
    return observed, (trust * problem.rows.surface)[:, None] * np.array(relative)
