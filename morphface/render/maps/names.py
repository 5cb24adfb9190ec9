"""The maps that there are."""

from morphface.core.errors import ParameterError

__all__ = ["CHANNELS", "DVP", "MAP_NAMES", "check_names"]

CHANNELS = {
    "diffuse": 3,
    "correspondence": 3,
    "gaze": 3,
    "normal": 3,
    "depth": 1,
    "mask": 1,
    "uv": 2,
    "albedo": 3,
    "shading": 3,
    "parsing": 1,
    "correspondence_flat": 3,
    "face_index": 3,
    "detail": 1,
}
"""How many channels each map has."""
MAP_NAMES = tuple(CHANNELS)
DVP = ("diffuse", "correspondence", "gaze")
"""The nine channels of Deep Video Portraits, in their order."""


def check_names(names: tuple[str, ...]) -> None:
    """Refuse names that are none of a map, or come twice, or no names at all.

    Raises:
        ParameterError: which it is.
    """
    unknown = [name for name in names if name not in CHANNELS]
    if unknown or not names or len(set(names)) != len(names):
        what = f"got {unknown[0]!r}" if unknown else f"got {', '.join(names) or 'none'}"
        raise ParameterError(
            f"names must be one or more of {', '.join(MAP_NAMES)}, each once, {what}"
        )
