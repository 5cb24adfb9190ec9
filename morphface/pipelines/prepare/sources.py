"""Which clips are prepared, in which order, and what each one is called.

A clip is named by its content, so that it keeps its name on another machine or in another folder.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from morphface.core.errors import MissingFileError, ParameterError
from morphface.media.shards import file_sha256

__all__ = ["SUFFIXES", "Clip", "fingerprint", "list_clips"]

SUFFIXES = frozenset(
    {".3gp", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg"}
    | {".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv"}
)
"""What files in a folder end with that are taken for videos; files that are named need not."""

_LETTERS = 16


@dataclass(frozen=True)
class Clip:
    """A file to prepare.

    Args:
        path: where it is.
        source: how it was asked for: its name, or its path inside the folder that was named.
        bytes: its size.
        modified: when it was last changed, in nanoseconds.
        sha256: of its content; empty until it was read.
        identity: name of the person in it; empty where that does not matter.
    """

    path: str
    source: str
    bytes: int
    modified: int
    sha256: str = ""
    identity: str = ""

    @property
    def name(self) -> str:
        """What its samples' keys begin with."""
        return self.sha256[:_LETTERS]

    def record(self) -> dict[str, Any]:
        """What a dataset says about it, wherever it lies."""
        said = {"name": self.source, "bytes": self.bytes, "sha256": self.sha256}
        return said | ({"identity": self.identity} if self.identity else {})


def list_clips(inputs: Sequence[str | Path], out: str | Path) -> list[Clip]:
    """The clips in files and folders, folders searched through and sorted by name.

    Args:
        inputs: files and folders.
        out: where the dataset goes, which may not be among them.

    Raises:
        MissingFileError: a file or folder is not there, or none of them has a video.
        ParameterError: nothing was named, or the dataset would lie inside an input.
    """
    if not inputs:
        raise ParameterError("name at least one video, or a folder of videos")
    found: dict[str, Clip] = {}
    for given in map(Path, inputs):
        _check_apart(given, Path(out))
        for path, source in _files(given):
            place = str(path.absolute())
            found.setdefault(place, _clip(path, source))
    if not found:
        named = ", ".join(map(str, inputs))
        raise MissingFileError(
            f"there is no video in {named}; videos in folders end in {' '.join(sorted(SUFFIXES))}"
        )
    return list(found.values())


def fingerprint(clip: Clip) -> Clip:
    """`clip` with the checksum of its content; without one if it cannot be read.

    Args:
        clip: to read.
    """
    try:
        return Clip(**(asdict(clip) | {"sha256": file_sha256(clip.path)}))
    except OSError:
        return clip


def _check_apart(given: Path, out: Path) -> None:
    inside, outside = out.resolve(), given.resolve()
    if outside.is_dir() and inside.is_relative_to(outside):
        raise ParameterError(
            f"the dataset {out} would lie inside {given}, which is to be prepared; choose a "
            "folder outside of it"
        )


def _files(given: Path) -> list[tuple[Path, str]]:
    """Files of an input, each with how it is called."""
    if given.is_file():
        return [(given, given.name)]
    if not given.is_dir():
        raise MissingFileError(f"there is no file or folder {given}; check the path")
    inside = (path for path in given.rglob("*") if _is_video(path, given))
    return sorted((path, path.relative_to(given).as_posix()) for path in inside)


def _is_video(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _clip(path: Path, source: str) -> Clip:
    facts = path.stat()
    return Clip(str(path.absolute()), source, facts.st_size, facts.st_mtime_ns)
