"""What analysis by synthesis may be told: stages are data, weights have units.

The energy is a negative logarithm of a probability, so that its terms need no weights against
each other, only standard deviations and numbers of independent observations. Defaults marked
"measured" were chosen on rendered heads and on photographs (`benchmarks/bench_fit.py` repeats the
check); the others are definitions.
"""

import math
from dataclasses import dataclass, fields, replace

from morphface.core.errors import ParameterError
from morphface.fit.shared.coefficients import ellipsoid

__all__ = ["GROUPS", "HINTS", "PhotometricSettings", "Stage"]

GROUPS = (
    "identity",
    "expression",
    "gaze",
    "reflectance",
    "illumination",
    "rotation",
    "translation",
    "focal",
)
"""The names of what can be free, in the order of the Jacobian's columns."""

HINTS = ("sclera", "teeth", "surroundings")
"""What in a picture tells of its light, besides skin."""

_POSE = ("rotation", "translation", "focal")
_FROM_ZERO = ("identity_trust", "corrective_limit", "fine_grain", "shared_errors")
_SIGNED = (*_FROM_ZERO, "shade", "shade_spread")


@dataclass(frozen=True)
class Stage:
    """A part of the fit: at which resolution, with what free, for how long.

    Args:
        spacing: millimetres of the face between neighbouring pixels. A photo that is coarser is
            taken as it is.
        pixels: how many are drawn for each step.
        steps: the most that are made.
        free: names from `GROUPS`; those that the caller does not free stay fixed here, too.
        look: whether all directions of gaze are tried before it, as they are after the last.
    """

    spacing: float
    pixels: int
    steps: int
    free: tuple[str, ...] = GROUPS
    look: bool = False

    def __post_init__(self) -> None:
        if not (self.spacing > 0 and self.pixels > 0 and self.steps > 0):
            raise ParameterError(
                "spacing, pixels and steps of a stage must be positive, "
                f"got {self.spacing}, {self.pixels} and {self.steps}"
            )
        check_groups("free", self.free)


def check_groups(name: str, groups: tuple[str, ...]) -> None:
    """Refuse names that are not those of groups.

    Raises:
        ParameterError: with the names that are.
    """
    unknown = sorted(set(groups) - set(GROUPS))
    if unknown:
        raise ParameterError(
            f"{name} must be of {', '.join(GROUPS)}, got {', '.join(map(repr, unknown))}"
        )


STAGES = (
    Stage(2.4, 1000, 5, ("reflectance", "illumination", *_POSE)),
    Stage(2.4, 1000, 6, look=True),
    Stage(1.2, 1600, 7),
    Stage(0.8, 2400, 6, look=True),
)


@dataclass(frozen=True)
class PhotometricSettings:
    """Weights and limits of `fit_photometric`.

    Args:
        stages: from coarse to fine.
        independent_pixels: how many independent observations the pixels of a face are worth where
            the model explains them up to the noise of a camera (measured).
        independent_patches: how many they are worth where it does not: the errors of light and
            reflectance are smooth, so that neighbours share them (measured).
        shared_errors: correlation of those errors, and of those of landmarks, between two photos
            of one person, by which many are worth fewer (measured in `benchmarks/bench_scan.py`).
        borrowed_share: by what `independent_patches` is multiplied for a model without
            reflectance, as borrowed colours fit roughly (measured).
        camera_noise: standard deviation of a channel that is the camera's; what is beyond is the
            model's.
        least_noise: the smallest standard deviation of a pixel's colour; about that of 8 bits.
        starting_noise: the one before it can be estimated.
        independent_points: how many independent points the landmarks are worth, as in
            `LinearSettings`.
        independent_lids: the same for the lids of one eye, which open and close for themselves and
            whose edges pixels take for those of lashes and creases. With .5 upper lids of photos
            lay 1 mm low, and gaze 7 degrees high (measured on 20).
        least_landmark_noise: smallest standard deviation of a landmark, in millimetres. The linear
            fit bends the face to the landmarks' common errors, so that what it leaves over is
            less than they are (measured).
        expression_spread: standard deviation of a bounded expression weight around its rest, as
            a share of its range.
        score_spread: the same around the detector's score, where there is one.
        exposure: expected irradiance of the seen face on the whole, of which 1 shows its
            reflectance as it is.
        exposure_spread: standard deviation of its brightness, as a share.
        tint_spread: the same of each channel's difference from that.
        hints: what else tells of the brightness of the light, of `HINTS`.
        light_spread: standard deviations of the coefficients of bands 0, 1 and 2.
        light_chroma: standard deviation of the light's colour, as a share of that.
        shade: expected share of what a head hides of the light from itself. Picture values are not
            amounts of light, and show about half of it (measured); harmonic renderings none.
        shade_spread: standard deviation of that share; 0 keeps what is expected.
        gaze_spread: standard deviation of gaze, the mean of both eyes, in radians.
        vergence_spread: standard deviation of the angle between the two eyes' gaze, in radians;
            0.08 is that of eyes that look at something 80 cm away.
        upright_spread: standard deviation of the difference of the pitch of both eyes, in radians.
        focal_spread: standard deviation of the logarithm of the focal length around that of the
            start.
        identity_trust: how many times the precision that the landmarks gave the identity holds it
            there, as pixels are explained by a model of skin and light that is simpler than
            nature. More than 1 keeps vertices of other models' heads truer and makes people more
            alike (measured); 0 lets go of it.
        identity_anchor: standard deviation of identity around that of the start, in those of the
            model; infinite for none.
        expression_anchor: the same for expression, in its coefficients' units.
        symmetry_spread: standard deviation of what makes the two sides of the face differ, the
            root mean square over it, in millimetres; infinite for none.
        corrective_grain: millimetres of the finest detail of what the albedo shows beyond its
            components; at least the spacing of vertices.
        corrective_reach: millimetres over which that fades out where nothing is seen.
        corrective_limit: the largest, as a logarithm; 0 for none.
        fine_grain: millimetres of the finest detail of the albedo between vertices (`fine_mesh`); 0
            for none.
        silhouette_noise: standard deviation of the outline of a mask, in pixels of the photo.
        radius: size of the ellipsoid that coefficients stay in; see `LinearSettings.radius`.
        tolerance: relative decrease of the energy in a step below which a stage ends.
        occlusion_scale: residual, as a multiple of the median one, at which a pixel is as likely
            hidden as not.
        least_cover: smallest residual, as a length over the channels, that is taken as usual where
            that is estimated.
        largest_rmse: photometric error above which a fit has not converged.
        largest_occlusion: hidden share of the face above which it has not.
        largest_nme: landmark error above which it has not; see `LinearSettings.largest_nme`.
        extremes: whether a fit at the bound of its ellipsoid may have converged.
    """

    stages: tuple[Stage, ...] = STAGES
    independent_pixels: float = 1000.0
    independent_patches: float = 20.0
    shared_errors: float = 0.3
    borrowed_share: float = 0.6
    camera_noise: float = 0.01
    least_noise: float = 0.001
    starting_noise: float = 0.05
    independent_points: float = 16.0
    independent_lids: float = 8.0
    least_landmark_noise: float = 1.0
    expression_spread: float = 0.25
    score_spread: float = 0.15
    exposure: float = 0.95
    exposure_spread: float = 0.17
    tint_spread: float = 0.06
    hints: tuple[str, ...] = ("sclera", "teeth")
    light_spread: tuple[float, float, float] = (0.3, 0.5, 0.2)
    light_chroma: float = 0.3
    shade: float = 0.3
    shade_spread: float = 0.3
    gaze_spread: float = 0.3
    vergence_spread: float = 0.08
    upright_spread: float = 0.03
    focal_spread: float = 0.1
    identity_trust: float = 1.0
    identity_anchor: float = math.inf
    expression_anchor: float = math.inf
    symmetry_spread: float = math.inf
    corrective_grain: float = 3.0
    corrective_reach: float = 25.0
    corrective_limit: float = 0.7
    fine_grain: float = 0.7
    silhouette_noise: float = 1.5
    radius: float = 4.0
    tolerance: float = 1e-3
    occlusion_scale: float = 4.0
    least_cover: float = 0.04
    largest_rmse: float = 0.15
    largest_occlusion: float = 0.6
    largest_nme: float = 0.08
    extremes: bool = False

    def __post_init__(self) -> None:
        if not self.stages:
            raise ParameterError("stages must have at least one stage, got none")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and field.name not in _SIGNED and not value > 0:
                raise ParameterError(f"{field.name} must be positive, got {value}")
        if not (0 <= self.shade <= 1 and self.shade_spread >= 0):
            raise ParameterError(
                "shade must be a share from 0 to 1, and shade_spread not negative, "
                f"got {self.shade} and {self.shade_spread}"
            )
        for name in _FROM_ZERO:
            if not getattr(self, name) >= 0:
                raise ParameterError(f"{name} must not be negative, got {getattr(self, name)}")
        unknown = sorted(set(self.hints) - set(HINTS))
        if unknown:
            raise ParameterError(
                f"hints must be of {', '.join(HINTS)}, got {', '.join(map(repr, unknown))}"
            )
        if not all(spread > 0 for spread in self.light_spread):
            raise ParameterError(f"light_spread must be positive, got {self.light_spread}")

    def worth(self, noise: float) -> float:
        """How many independent observations the pixels of a face are, at a noise of colours."""
        own = min(noise, self.camera_noise) ** 2
        shared = noise**2 - own
        return noise**2 / (own / self.independent_pixels + shared / self.independent_patches)

    def among(self, photos: int) -> "PhotometricSettings":
        """Those of each of so many photos of one person, whose errors are in part the same."""
        patches = self.independent_patches / (1 + (photos - 1) * self.shared_errors)
        return replace(self, independent_patches=patches)

    def ellipsoid(self, rank: int) -> float:
        """The largest length of `rank` coefficients together, in standard deviations."""
        return ellipsoid(rank, self.radius)
