"""Which points of a face are parts, and which pairs of them are limbs.

The points are the 70 of OpenPose's face (the 68, then the pupils), the ears and the temples. In
full profile half of them are hidden: limbs run within each half and along the midline, so that
what is left still hangs together (`tests/landmarks/parts/test_graph.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from morphface.core.errors import LandmarkError
from morphface.landmarks.schemes import SCHEMES

__all__ = ["GRAPHS", "POINTS", "FaceGraph", "face_graph", "point_mirror"]

POINTS = 74
"""The 68, the right and left pupil, ear and temple; right and left are the subject's."""
_EARS, _TEMPLES = (70, 71), (72, 73)


@dataclass(frozen=True)
class FaceGraph:
    """Parts of a face and the limbs between them.

    Args:
        name: of the graph.
        parts: names of the parts.
        points: which of the `POINTS` each part is.
        limbs: pairs of parts, from one to the other.
    """

    name: str
    parts: tuple[str, ...]
    points: tuple[int, ...]
    limbs: tuple[tuple[int, int], ...]

    @property
    def mirror(self) -> tuple[int, ...]:
        """The part that each one becomes when the picture is mirrored."""
        of = point_mirror()
        return tuple(self.points.index(of[point]) for point in self.points)

    def part(self, point: int) -> int:
        """The part that is one of the `POINTS`.

        Args:
            point: its number.
        """
        return self.points.index(point)


def point_mirror() -> tuple[int, ...]:
    """The point that each of the `POINTS` becomes when the picture is mirrored."""
    return (*SCHEMES["68"].mirror, 69, 68, 71, 70, 73, 72)


def face_graph(name: str) -> FaceGraph:
    """The graph of that name.

    Args:
        name: a key of `GRAPHS`.

    Raises:
        LandmarkError: there is none.
    """
    if name not in GRAPHS:
        raise LandmarkError(f"unknown graph of parts {name!r}; there are {', '.join(GRAPHS)}")
    return GRAPHS[name]


_NAMED = {
    "right eye": 68,
    "left eye": 69,
    "right eye outer": 36,
    "right eye inner": 39,
    "left eye inner": 42,
    "left eye outer": 45,
    "right brow": 19,
    "left brow": 24,
    "bridge": 27,
    "nose": 30,
    "right mouth": 48,
    "left mouth": 54,
    "upper lip": 51,
    "chin": 8,
    "right ear": 70,
    "left ear": 71,
    "right temple": 72,
    "left temple": 73,
}
_HALF = (
    ("eye", "eye outer"),
    ("eye", "eye inner"),
    ("eye inner", "bridge"),
    ("eye", "nose"),
    ("eye", "mouth"),
    ("brow", "eye"),
    ("brow", "bridge"),
    ("brow", "temple"),
    ("eye outer", "temple"),
    ("eye outer", "ear"),
    ("temple", "ear"),
    ("mouth", "upper lip"),
    ("mouth", "nose"),
    ("mouth", "chin"),
    ("mouth", "ear"),
    ("ear", "chin"),
)
"""Limbs of a half; what both share has its name alone."""
_MIDDLE = (
    ("bridge", "nose"),
    ("nose", "upper lip"),
    ("upper lip", "chin"),
    ("right eye", "left eye"),
    ("right mouth", "left mouth"),
)


def _face() -> FaceGraph:
    names = tuple(_NAMED)

    def of(side: str, word: str) -> int:
        full = f"{side} {word}"
        return names.index(full if full in _NAMED else word)

    halves = [(of(side, a), of(side, b)) for side in ("right", "left") for a, b in _HALF]
    middle = [(names.index(a), names.index(b)) for a, b in _MIDDLE]
    return FaceGraph("face", names, tuple(_NAMED.values()), tuple(halves + middle))


def _chain(*points: int) -> tuple[tuple[int, int], ...]:
    return tuple(zip(points, points[1:], strict=False))


_CHAINS = (
    _chain(*range(17)),
    _chain(36, 17, 18, 19, 20, 21, 27, 22, 23, 24, 25, 26, 45),
    _chain(27, 28, 29, 30, 33, 51, 62),
    _chain(31, 32, 33, 34, 35),
    _chain(0, 36, 37, 38, 39, 40, 41, 36),
    _chain(39, 27, 42),
    _chain(16, 45, 44, 43, 42, 47, 46, 45),
    _chain(*range(48, 60), 48),
    _chain(*range(60, 68), 60),
    _chain(66, 57, 8),
    _chain(36, 68, 39),
    _chain(42, 69, 45),
)


def _seventy() -> FaceGraph:
    names = (*(str(k) for k in range(68)), "right eye", "left eye")
    limbs = tuple(limb for chain in _CHAINS for limb in chain)
    return FaceGraph("70", names, tuple(range(70)), limbs)


GRAPHS: Mapping[str, FaceGraph] = MappingProxyType({g.name: g for g in (_face(), _seventy())})
"""By name: "face", 18 parts, which of the 70 has 14; and "70", OpenPose's own layout."""
