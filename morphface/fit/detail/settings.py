"""What detail from shading may be told: standard deviations, lengths and limits.

Those marked "measured" were chosen on pictures of a scan and on photos
(`benchmarks/bench_detail.py` repeats the check); the others are definitions.
"""

import math
from dataclasses import dataclass, fields

from morphface.core.errors import ParameterError

__all__ = ["DetailSettings"]

_FROM_ZERO = ("melanin", "blood", "groove")


@dataclass(frozen=True)
class DetailSettings:
    """How detail is told from shading.

    Args:
        coarsest: wavelength in millimetres above which shape is left to the model, of one photo;
            measured.
        coarsest_of_several: the same of several photos, whose albedo is told apart from light;
            measured.
        finest: wavelength in millimetres of which half is left, what is shorter is noise; measured.
        slope: standard deviation of what relief adds to the slope of the surface; measured.
        mottle: of the logarithm of a photo's colours by noise and light that is not as fitted;
            measured.
        albedo: of the same by what all photos show, which is colour of the skin; measured.
        melanin: of the same by melanin, in the blue channel; measured.
        blood: of the same by blood, in the green channel; measured.
        response: change of light with the normal, over that of the fitted harmonics, into which
            cast shadows were fitted, too; measured.
        groove: by how much the logarithm of light falls for a millimetre of depth, as what lies
            deep sees less of the sky; of one photo alone, for in several it is no other than paint;
            chosen on photos.
        limit: of the displacement, in millimetres.
        rounds: of reweighting, against what no relief explains.

    Raises:
        ParameterError: a value is not positive, or not finite.
    """

    coarsest: float = 30.0
    coarsest_of_several: float = 60.0
    finest: float = 3.0
    slope: float = 0.2
    mottle: float = 0.05
    albedo: float = 0.1
    melanin: float = 0.02
    blood: float = 0.02
    response: float = 0.6
    groove: float = 0.15
    limit: float = 2.0
    rounds: int = 3

    def __post_init__(self) -> None:
        for field in fields(self):
            value, zero = getattr(self, field.name), field.name in _FROM_ZERO
            if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
                rule = "at least 0" if zero else "positive"
                raise ParameterError(f"{field.name} must be {rule} and finite, got {value}")

    def wavelength(self, photos: int) -> float:
        """The longest of relief, in millimetres, that is told from so many photos."""
        return self.coarsest if photos < 2 else self.coarsest_of_several
