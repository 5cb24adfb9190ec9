"""Fetching a file whose content is known."""

import logging
from pathlib import Path

__all__ = ["fetch_file"]

_TIMEOUT_SECONDS = 20


def fetch_file(url: str, sha256: str, folder: Path) -> Path:
    """The file at `url`, in `folder`; nothing is fetched if it is there already.

    Args:
        url: ends with the file's name.
        sha256: of the content.
        folder: made if it is missing.

    Raises:
        OSError: there is no way to the file; the exceptions of `requests` are OSErrors too.
        ValueError: what came is another content; it is removed.
    """
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        fetch = pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS)
        name = url.rsplit("/", 1)[1]
        return Path(pooch.retrieve(url, sha256, name, folder, downloader=fetch))
    finally:
        logger.setLevel(level)
