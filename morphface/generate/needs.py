"""What each kind of generator must be given to make a frame."""

from dataclasses import dataclass, replace

from morphface.core.errors import ParameterError
from morphface.generate.config import GeneratorConfig

__all__ = ["NEEDS", "Needs", "check_photos", "needs_of"]


@dataclass(frozen=True)
class Needs:
    """What a generator makes frames from.

    Args:
        maps: of the frames.
        photos: the most photos of the person; None for any number, 0 if it knows its person.
        driving: whether it looks at frames of whoever drives.
        points: key points of the mesh in the frames.
    """

    maps: bool = True
    photos: int | None = 0
    driving: bool = False
    points: bool = False

    @property
    def fit(self) -> bool:
        """Whether frames must have been fitted, since maps and points are those of the mesh."""
        return self.maps or self.points


NEEDS = {
    "dvp": Needs(),
    "headgan": Needs(photos=None),
    "conr": Needs(photos=None),
    "dagan": Needs(photos=1, points=True),
    "lia": Needs(maps=False, photos=1, driving=True),
}
"""By kind, in its usual configuration."""


def needs_of(kind: str | GeneratorConfig) -> Needs:
    """What a kind of generator needs, or one with a configuration.

    A dagan generator that learned where key points are looks at frames of the driver instead of
    points of a mesh; one that learned depth needs no maps; with both it needs no fit at all.

    Args:
        kind: a name from `NEEDS`, or a configuration.

    Raises:
        ParameterError: there is no such kind.
    """
    if isinstance(kind, GeneratorConfig):
        usual, learned = needs_of(kind.kind), kind.keypoints == "learned"
        if kind.kind != "dagan":
            return usual
        return replace(usual, maps=bool(kind.maps), driving=learned, points=not learned)
    if kind not in NEEDS:
        raise ParameterError(f"kind must be one of {', '.join(sorted(NEEDS))}, got {kind!r}")
    return NEEDS[kind]


def check_photos(kind: str, count: int) -> None:
    """Refuse photos that a generator cannot be given.

    Args:
        kind: of generator.
        count: of photos of one person.

    Raises:
        ParameterError: it takes none, or fewer; the message says which take more.
    """
    most = needs_of(kind).photos
    if most is None or count <= most:
        return
    others = ", ".join(sorted(name for name, needs in NEEDS.items() if needs.photos is None))
    takes = "one photo" if most else "no photo, it knows its person"
    raise ParameterError(f"a {kind} generator takes {takes}, got {count}; several are for {others}")
