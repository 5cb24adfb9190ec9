"""What is at a path that should hold a picture or a video?"""

import re
from pathlib import Path

from morphface.core.errors import MissingFileError, MorphfaceError

__all__ = ["PICTURES", "check_file", "unreadable"]

PICTURES = frozenset(
    {".avif", ".bmp", ".heic", ".heif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
)
"""What files in a folder end with that are taken for pictures."""

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+", re.IGNORECASE)
"""A path has one slash where an address has two."""


def check_file(path: Path, thing: str, error: type[MorphfaceError]) -> int:
    """The size in bytes of the regular file at `path`.

    Args:
        path: of the file.
        thing: what it should hold, such as "picture".
        error: raised if it cannot hold that.

    Raises:
        MissingFileError: there is no such file.
        MorphfaceError: an `error`; it is a folder, a device, or cannot be looked at.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError as absent:
        address = _ADDRESS.match(str(path))
        if address:
            raise error(
                f"{address[1]}://{str(path)[address.end() :]} is an address, and nothing is "
                f"fetched from the network; save the {thing} to a file first"
            ) from absent
        raise MissingFileError(f"there is no file {path}; check the path") from absent
    except (OSError, ValueError) as failure:
        raise error(unreadable(path, failure)) from failure
    if path.is_dir():
        raise error(f"{path} is a folder; name a {thing} in it")
    if not path.is_file():
        raise error(f"{path} is not a regular file; save the {thing} to one first")
    return size


def unreadable(path: str | Path, error: Exception) -> str:
    """One sentence for what the operating system said about reading `path`."""
    reason = (getattr(error, "strerror", None) or str(error)).lower()
    return f"cannot read {path}: {reason}; check the path and its permissions"
