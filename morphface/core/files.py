"""Writing files so that nothing is ever half-written.

Results are written under a temporary name beside their place and renamed at the end: a failed
or interrupted run leaves what was there before, and no fragments.
"""

import errno
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from morphface.core.errors import MorphfaceError, OutputError

__all__ = ["atomic_write", "output_folder", "write_json"]

_REASONS = {
    errno.EACCES: "it is write-protected",
    errno.EPERM: "it is write-protected",
    errno.EROFS: "it is on a read-only disk",
    errno.ENOSPC: "the disk is full",
    errno.EFBIG: "the file would become too large there",
    errno.EDQUOT: "the disk quota is used up",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EEXIST: "it is a file, not a folder",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOENT: "the folder does not exist and cannot be made",
}


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes the place of `path` when the block ends.

    It has the suffix of `path`, since many writers choose their format by it. Missing folders
    are made. If the block fails, the temporary file is removed and a file that was at `path`
    before is still there.

    Args:
        path: the file to write or replace.

    Raises:
        OutputError: the file cannot be written there. The message says why.
    """
    target = Path(path)
    temporary = target.with_name(f".{uuid4().hex}{target.suffix}")
    with _refusals(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _refusals(target):
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, "is a directory")
            yield temporary
            temporary.replace(target)
    finally:
        if os.path.lexists(temporary):
            temporary.unlink()


def write_json(path: str | Path, content: Any) -> None:
    """Write plain values as strict JSON, which knows no numbers that are not finite.

    Args:
        path: the file to write or replace.
        content: lists, dictionaries, texts and numbers.

    Raises:
        OutputError: the file cannot be written there.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


@contextmanager
def output_folder(path: str | Path) -> Iterator[Path]:
    """A temporary folder whose files move into the folder `path` when the block ends.

    That `path` can be written to is checked at once, before any work is done. If the block
    fails, nothing of it remains, and a folder that had to be made for it is removed again. What
    processes of this machine that were killed left there is cleared.

    Args:
        path: the folder to fill; made if it is missing. Files of the same names are replaced,
            others are left alone.

    Raises:
        OutputError: the folder cannot be made or written to. The message says why.
    """
    folder = Path(path)
    made = _missing(folder)
    staging: Path | None = None
    try:
        with _refusals(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _clear_stale(folder)
            staging = Path(tempfile.mkdtemp(prefix=f"{_prefix()}{os.getpid()}-", dir=folder))
        yield staging
        with _refusals(folder):
            _move_files(staging, folder)
    except OutputError as error:
        raise OutputError(str(error).replace(f"{staging}", f"{folder}")) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(made)


def _prefix() -> str:
    """What the names of temporary folders of this machine begin with."""
    return f".morphface-{hashlib.sha256(platform.node().encode()).hexdigest()[:8]}-"


def _clear_stale(folder: Path) -> None:
    """Remove temporary folders whose process is dead."""
    for place in folder.glob(f"{_prefix()}*"):
        number = place.name.removeprefix(_prefix()).partition("-")[0]
        if number.isdecimal() and not _lives(int(number)):
            shutil.rmtree(place, ignore_errors=True)


def _lives(process: int) -> bool:
    if os.name != "posix":  # elsewhere a signal would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _missing(folder: Path) -> list[Path]:
    """Those of `folder` and its parents that do not exist yet, innermost first."""
    return [place for place in (folder, *folder.parents) if not os.path.lexists(place)]


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _move_files(source: Path, target: Path) -> None:
    for file in sorted(item for item in source.rglob("*") if item.is_file()):
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """Turns what the operating system says about writing into one sentence."""
    try:
        yield
    except MorphfaceError:
        raise
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        reason = _REASONS[error.errno]
        raise OutputError(f"cannot write to {path}: {reason}; choose another place") from error
