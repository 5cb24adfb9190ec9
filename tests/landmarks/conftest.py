import pytest

from tests.data import needs_detector


@pytest.fixture(scope="session")
def detector():
    needs_detector()
    from morphface.landmarks.detectors.mediapipe import MediaPipeDetector

    with MediaPipeDetector() as detector:
        yield detector


@pytest.fixture(scope="session")
def astronaut():
    needs_detector()
    from morphface.media.images import read_image

    return read_image("sample:astronaut")
