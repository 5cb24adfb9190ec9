"""Orders in which others write their landmarks, and which of our schemes each one fills.

"468" is MediaPipe's mesh without irises. "98" is the order of WFLW (Wu et al. 2018, "Look at
Boundary"), "106" that of JD-landmark and LaPa (Liu et al. 2019), "106-insightface" that of
InsightFace's 2d106det; of these the points count that Multi-PIE's 68 has, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from morphface.core.errors import LandmarkError
from morphface.landmarks.schemes import SCHEMES

__all__ = ["LAYOUTS", "Layout", "layout", "layout_of"]

# fmt: off
_OF_98 = (
    *range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60),
    60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96),
)
_OF_106 = (
    *range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 55), *range(58, 63),
    66, 67, 69, 70, 71, 73, 75, 76, 78, 79, 80, 82, *range(84, 104),
)
_OF_INSIGHTFACE = (
    1, 10, 12, 14, 16, 3, 5, 7, 0, 23, 21, 19, 32, 30, 28, 26, 17, 43, 48, 49, 51, 50,
    102, 103, 104, 105, 101, 72, 73, 74, 86, 78, 79, 80, 85, 84, 35, 41, 42, 39, 37, 36,
    89, 95, 96, 93, 91, 90, 52, 64, 63, 71, 67, 68, 61, 58, 59, 53, 56, 55,
    65, 66, 62, 70, 69, 57, 60, 54,
)
# fmt: on


@dataclass(frozen=True)
class Layout:
    """An order of landmarks in files.

    Args:
        name: what it is called.
        size: how many points it has.
        scheme: which of ours it fills.
        order: for each point of the scheme the number of its point; points that it lacks at the
            end are absent.
    """

    name: str
    size: int
    scheme: str
    order: tuple[int, ...]

    def of_scheme(self, values: Float[Tensor, "N *C"]) -> Float[Tensor, "M *C"]:
        """Values of the points of the scheme, 0 where the layout has none.

        Args:
            values: for each point of the layout.
        """
        chosen = values[torch.tensor(self.order)]
        missing = SCHEMES[self.scheme].size - len(self.order)
        return torch.cat([chosen, chosen.new_zeros(missing, *chosen.shape[1:])])


def _same(name: str) -> Layout:
    size = SCHEMES[name].size
    return Layout(name, size, name, tuple(range(size)))


LAYOUTS: Mapping[str, Layout] = {
    **{name: _same(name) for name in SCHEMES},
    "468": Layout("468", 468, "478", tuple(range(468))),
    "98": Layout("98", 98, "68", _OF_98),
    "106": Layout("106", 106, "68", _OF_106),
    "106-insightface": Layout("106-insightface", 106, "68", _OF_INSIGHTFACE),
}


def layout(name: str) -> Layout:
    """The layout called `name`.

    Raises:
        LandmarkError: there is none of that name.
    """
    if name not in LAYOUTS:
        raise LandmarkError(f"unknown landmark scheme {name!r}; there are {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def layout_of(points: Float[Tensor, "N 2"]) -> Layout:
    """The layout of points that nobody named, by their number.

    The two orders of 106 points are told apart by the jaw: in the right order it is the shorter
    line.

    Args:
        points: of one face.

    Raises:
        LandmarkError: there is none of that number.
    """
    found = [each for each in LAYOUTS.values() if each.size == len(points)]
    if not found:
        counts = ", ".join(str(size) for size in sorted({each.size for each in LAYOUTS.values()}))
        raise LandmarkError(f"has {len(points)} points; known are faces of {counts} points")
    return min(found, key=lambda each: _jaw_length(each.of_scheme(points)))


def _jaw_length(points: Float[Tensor, "N 2"]) -> float:
    return float(points[:17].diff(dim=0).norm(dim=1).sum())
