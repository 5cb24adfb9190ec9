"""Is that a picture? What can be said from the first bytes of a file, before it is decoded.

Nothing heavy is imported for it, so that a wrong file is refused at once.
"""

from importlib.util import find_spec
from pathlib import Path

from morphface.core.errors import ImageError, MissingDependencyError, MissingFileError
from morphface.media.opening import MAX_BYTES, open_picture
from morphface.media.paths import check_file, unreadable

__all__ = ["check_bytes", "check_picture", "read_file", "sample_path"]

_SAMPLES = {"astronaut": ("skimage", "data/astronaut.png")}


def check_picture(source: str) -> None:
    """Refuse what `read_image` would refuse by its header.

    Args:
        source: a path, or `sample:` and a name.

    Raises:
        MissingFileError: there is no such file.
        MissingDependencyError: the sample's package is not installed.
        ImageError: it is not a picture, or too large or too small.
    """
    path = sample_path(source) if source.startswith("sample:") else Path(source)
    open_picture(source, read_file(path)).close()


def sample_path(source: str) -> Path:
    """Where the picture lies that an installed package has.

    Args:
        source: `sample:` and its name.

    Raises:
        MissingFileError: there is no such sample.
        MissingDependencyError: its package is not installed.
    """
    name = source.removeprefix("sample:")
    if name not in _SAMPLES:
        raise MissingFileError(f"there is no sample {name!r}; there is {', '.join(_SAMPLES)}")
    package, inside = _SAMPLES[name]
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependencyError(
            f"{source} is a picture inside scikit-image, which is not installed; "
            "run: pip install scikit-image"
        )
    return Path(spec.submodule_search_locations[0]) / inside


def read_file(path: Path) -> bytes:
    """The bytes of a picture's file.

    Args:
        path: of the file.

    Raises:
        MissingFileError: there is no such file.
        ImageError: it cannot be read, or is too large.
    """
    check_bytes(str(path), check_file(path, "picture", ImageError))
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(unreadable(path, error)) from error


def check_bytes(name: str, size: int) -> None:
    """Refuse a file with more bytes than a picture may have.

    Args:
        name: of the picture, for messages.
        size: of its file.

    Raises:
        ImageError: it is larger than `MAX_BYTES`.
    """
    if size > MAX_BYTES:
        raise ImageError(
            f"{name} is {size / 2**20:.0f} MiB, more than the {MAX_BYTES / 2**20:.0f} MiB that "
            "are read; save a smaller copy"
        )
