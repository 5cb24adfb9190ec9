"""What the linear fit may be told: every weight, with its unit and where its default comes from.

Defaults marked "measured" were chosen on rendered heads and on photographs with the default
detector (`benchmarks/bench_linear_fit.py` repeats the check); the others are definitions.
"""

from dataclasses import dataclass, fields

from morphface.core.errors import ParameterError
from morphface.fit.shared.coefficients import ellipsoid

__all__ = ["LinearSettings"]


@dataclass(frozen=True)
class LinearSettings:
    """Weights and limits of `fit_linear`.

    Args:
        iterations: most joint steps of camera, identity and expression; 0 fits the camera to the
            mean face and nothing else.
        tolerance: relative change of the weighted residual in one step below which the fit has
            settled.
        depth_weight: precision of the detector's depth relative to that of its screen positions,
            both in pixels; 0 ignores depth. Measured: on nine views of a head scan 0.02 brings
            the spread of the pose from 2.6 to 1.6 degrees, and more brings nothing; on rendered
            heads, more makes the shape worse.
        depth_scale_spread: standard deviation of the logarithm of the detector's depth scale,
            which is estimated for each face (measured).
        independent_points: how many independent points the landmarks of a face are worth, however
            many there are. A detector's errors are smooth over the face, so that neighbours
            share them; what is in excess of this counts for less against the priors (measured).
        expression_spread: standard deviation of a bounded expression weight around 0, as a share
            of its range, where the detector gives no score (measured).
        score_spread: the same around the detector's score, where it gives one (measured).
        focal_mean: the focal length that is expected when none is given, in multiples of the
            longer side of the picture: about that of an 80 mm lens on film. Measured, as are the
            three below, by `benchmarks/bench_focal.py`.
        focal_spread: standard deviation of its logarithm; 0 keeps `focal_mean`. Less than
            photos have: a detector's errors make faces look nearer than they are, so that more
            freedom makes shapes worse.
        distance_mean: how far from the camera a head is expected then, in millimetres. A crop
            makes a lens look longer, and leaves the distance, which is what bends a face; of the
            two expectations, each counts by its precision.
        distance_spread: standard deviation of its logarithm; infinite expects no distance.
        robust: residual, in robust standard deviations, at which a point's weight has fallen to
            a quarter (Geman-McClure; 3 is the usual choice).
        starting_noise: standard deviation of a landmark in millimetres on the face before it can
            be estimated, or where too few points exist to estimate it.
        least_noise: floor of the estimate in millimetres; about the rounding of float32.
        surest: standard deviation of a landmark, in millimetres, below which what is said of the
            identity's own precision does not fall, however well the landmarks fit. Detectors on
            photos leave 0.5 to 0.7.
        contour_slack: weight of a silhouette point along the contour, relative to across it.
        hidden_weight: weight of a point on a part of the face that is turned away.
        radius: coefficients in standard deviations (identity, and expressions without bounds) stay
            in the ellipsoid `ellipsoid(K)`: the squared length of K normal coefficients is K on
            average, with standard deviation `sqrt(2 K)`, and this says how many of those are
            allowed.
        largest_nme: landmark error, as a share of the distance between the outer eye corners,
            above which a fit has not converged.
    """

    iterations: int = 12
    tolerance: float = 5e-2
    depth_weight: float = 0.1
    depth_scale_spread: float = 0.1
    independent_points: float = 16.0
    expression_spread: float = 0.25
    score_spread: float = 0.15
    focal_mean: float = 2.25
    focal_spread: float = 0.25
    distance_mean: float = 1300.0
    distance_spread: float = 0.4
    robust: float = 3.0
    starting_noise: float = 1.5
    least_noise: float = 1e-5
    surest: float = 0.3
    contour_slack: float = 0.1
    hidden_weight: float = 0.1
    radius: float = 4.0
    largest_nme: float = 0.08

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0:
                raise ParameterError(f"{field.name} must not be negative, got {value}")
        for name in (
            "independent_points",
            "robust",
            "starting_noise",
            "least_noise",
            "score_spread",
            "focal_mean",
            "distance_mean",
            "distance_spread",
        ):
            if getattr(self, name) == 0:
                raise ParameterError(f"{name} must be positive, got 0")

    def ellipsoid(self, rank: int) -> float:
        """The largest length of `rank` coefficients together, in standard deviations."""
        return ellipsoid(rank, self.radius)

    def sharing(self, points: int) -> float:
        """How many of so many `points` share one error."""
        return max(1.0, points / self.independent_points)
