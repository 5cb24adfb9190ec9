import pytest
import torch

from morphface.landmarks import find_faces
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.landmarks.recognition import NAME, Recogniser, find_recogniser
from morphface.media.images import Photo, read_image
from tests.data import needs_detector, shared


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("MORPHFACE_MODELS", str(tmp_path))
    find_recogniser.cache_clear()
    yield tmp_path
    find_recogniser.cache_clear()


def test_without_the_file_or_with_another_one_there_is_no_network(nowhere):
    assert find_recogniser() is None
    find_recogniser.cache_clear()
    (nowhere / NAME).write_bytes(b"something else")
    assert find_recogniser() is None


def test_a_face_is_known_again_in_other_light_and_two_people_are_told_apart():
    needs_detector()
    network = Recogniser(shared("weights", NAME))
    with MediaPipeDetector() as detector:
        photo, (one, two) = find_faces(read_image(shared("photos", "laos_two_faces.jpg")), detector)
    first, second = (network.describe(photo, face) for face in (one, two))
    dim = network.describe(Photo(photo.pixels * 0.4), one)
    torch.testing.assert_close(first.norm(), torch.tensor(1.0))
    assert float(first @ dim) > 0.77
    assert float(first @ second) < 0.4
