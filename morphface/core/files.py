"""How results reach the disk: under a temporary name first, so that nothing is half written."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from morphface.core.errors import OutputError

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to, renamed to it on success, else removed.

    The temporary name keeps the suffix, since many writers choose their format by it.

    Args:
        path: where the result goes; its folder is made if it is missing.

    Raises:
        OutputError: the folder cannot be made or written to, the disk is full, or `path` is a
            folder.
    """
    target = Path(path)
    temporary = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutputError(f"cannot write {target}: {reason}; choose another place") from error
    finally:
        temporary.unlink(missing_ok=True) if temporary.parent.is_dir() else None
