"""What detail from shading may be told: standard deviations, lengths and limits.

Logarithms are those of encoded colours of one photo, and of amounts of light of several.

Those marked "measured" were chosen on pictures of a scan and on photos
(`benchmarks/bench_detail.py` repeats the check); the others are definitions.
"""

import math
from dataclasses import dataclass, fields

from morphface.core.errors import ParameterError

__all__ = ["ENCODED", "DetailSettings"]

ENCODED = 2.2
"""Logarithms of amounts of light are so many times those of encoded colours (sRGB, mid-tones)."""
_FROM_ZERO = ("melanin", "blood", "groove")


@dataclass(frozen=True)
class DetailSettings:
    """How detail is told from shading.

    Args:
        coarsest: wavelength in millimetres above which shape is left to the model; measured.
        finest: wavelength in millimetres of which half is left, what is shorter is noise; measured.
        slope: standard deviation of what relief adds to the slope of the surface; measured.
        mottle: of the logarithm of a photo's colours by noise and light that is not as fitted;
            measured.
        albedo: of the same by what all photos show, which is colour of the skin; measured.
        melanin: of the same by melanin, in the blue channel; measured.
        blood: of the same by blood, in the green channel; measured.
        response: change of light with the normal, over that of the fitted harmonics, into which
            cast shadows were fitted, too; measured.
        groove: by how much the logarithm of light falls for a millimetre of depth in a wrinkle, as
            what lies deep sees less of the sky; chosen on photos.
        limit: of the displacement, in millimetres.
        rounds: of reweighting, against what no relief explains.

    Raises:
        ParameterError: a value is not positive, or not finite.
    """

    coarsest: float = 30.0
    finest: float = 1.5
    slope: float = 0.4
    mottle: float = 0.05
    albedo: float = 0.1
    melanin: float = 0.02
    blood: float = 0.02
    response: float = 0.6
    groove: float = 0.4
    limit: float = 2.0
    rounds: int = 3

    def __post_init__(self) -> None:
        for field in fields(self):
            value, zero = getattr(self, field.name), field.name in _FROM_ZERO
            if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
                rule = "at least 0" if zero else "positive"
                raise ParameterError(f"{field.name} must be {rule} and finite, got {value}")

    @classmethod
    def of(cls, photos: int) -> "DetailSettings":
        """What is taken for so many photos of a person.

        Of several, albedo and light are told apart, in amounts of light: longer waves are told,
        but albedo varies more, and what is dark everywhere is paint.
        """
        if photos < 2:
            return cls()
        return cls(
            coarsest=80.0,
            finest=3.0,
            slope=0.2,
            mottle=0.05 * ENCODED,
            albedo=0.07 * ENCODED,
            response=1.0,
            groove=0.0,
        )
