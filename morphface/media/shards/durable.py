"""Files that survive a power cut: on the disk before they have their name."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from morphface.core.files import atomic_write

__all__ = ["durable_write", "file_sha256", "remove_fragments"]

_FRAGMENT = re.compile(r"\.[0-9a-f]{32}(\.\w+)?")


@contextmanager
def durable_write(path: str | Path) -> Iterator[BufferedWriter]:
    """A file to write, which takes the place of `path` once its bytes are on the disk.

    Args:
        path: the file to write or replace.

    Raises:
        OutputError: the file cannot be written there. The message says why.
    """
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(Path(path).parent)


def file_sha256(path: str | Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_fragments(folder: Path) -> None:
    """Remove what killed writers left in `folder` and below it. None may be at work there."""
    for place, _, names in os.walk(folder):
        for name in names:
            if _FRAGMENT.fullmatch(name):
                Path(place, name).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """A new name is safe once the folder that lists it is."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # some systems cannot open folders, and need not
        return
    try:
        os.fsync(handle)
    except OSError:  # nor does every file system synchronise them
        pass
    finally:
        os.close(handle)
