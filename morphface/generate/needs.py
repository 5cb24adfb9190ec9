"""What each kind of generator must be given to make a frame."""

from dataclasses import dataclass

from morphface.core.errors import ParameterError

__all__ = ["NEEDS", "Needs", "check_photos", "needs_of"]


@dataclass(frozen=True)
class Needs:
    """What a generator makes frames from.

    Args:
        maps: of the frames; without them it needs no fit of them.
        photos: the most photos of the person; None for any number, 0 if it knows its person.
        driving: whether it looks at frames of whoever drives.
    """

    maps: bool = True
    photos: int | None = 0
    driving: bool = False


NEEDS = {
    "dvp": Needs(),
    "headgan": Needs(photos=None),
    "conr": Needs(photos=None),
    "dagan": Needs(photos=1),
    "lia": Needs(maps=False, photos=1, driving=True),
}
"""By kind."""


def needs_of(kind: str) -> Needs:
    """What a kind of generator needs.

    Args:
        kind: a name from `NEEDS`.

    Raises:
        ParameterError: there is no such kind.
    """
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
