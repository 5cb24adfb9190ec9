"""Which photos are meant: files, folders, patterns and samples."""

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from morphface.core.errors import MissingFileError, ParameterError
from morphface.media.paths import PICTURES

__all__ = ["list_photos"]


def list_photos(inputs: Sequence[str | Path]) -> list[str]:
    """The photos in files, folders and patterns, those in a folder or of a pattern sorted by name.

    Args:
        inputs: files, folders, patterns such as `c*.jpg`, and samples.

    Raises:
        MissingFileError: a folder has no photo, or nothing fits a pattern.
        ParameterError: a photo is there twice.
    """
    found: list[str] = []
    for given in map(str, inputs):
        found += _meant(given)
    places = [given if given.startswith("sample:") else Path(given).resolve() for given in found]
    twice = next((name for n, name in enumerate(found) if places[n] in places[:n]), None)
    if twice is not None:
        raise ParameterError(f"{twice} is named twice; each photo counts once")
    return found


def _meant(given: str) -> list[str]:
    path = Path(given)
    if path.is_dir():
        return _inside(path)
    if not has_magic(given) or path.exists():
        return [given]
    fitting = sorted(glob(given))
    if not fitting:
        raise MissingFileError(f"no file fits {given}; check the pattern")
    return fitting


def _inside(folder: Path) -> list[str]:
    files = sorted(item for item in folder.iterdir() if item.is_file())
    photos = [
        str(item)
        for item in files
        if item.suffix.lower() in PICTURES and not item.name.startswith(".")
    ]
    if not photos:
        raise MissingFileError(
            f"there is no photo in {folder}; photos in folders end in {' '.join(sorted(PICTURES))}"
        )
    return photos
