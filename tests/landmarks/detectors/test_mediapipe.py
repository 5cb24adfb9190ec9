import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo
from tests.data import needs_detector

LEFT_OUTER, RIGHT_OUTER, NOSE_TIP, CHIN = 263, 33, 4, 152


@pytest.fixture(scope="module")
def face(detector, astronaut):
    (face,) = detector.detect(astronaut)
    return face


def test_a_portrait_has_one_face_of_478_points_and_51_named_scores(face):
    assert face.points.shape == (478, 2)
    assert len(face.scores) == 51
    assert "_neutral" not in face.scores
    assert face.scores["mouthSmileLeft"] > 0.5 > face.scores["jawOpen"]


def test_points_are_in_pixels_x_right_y_down_and_sides_are_the_subjects(face):
    assert face.points[LEFT_OUTER, 0] > face.points[NOSE_TIP, 0] > face.points[RIGHT_OUTER, 0]
    assert face.points[LEFT_OUTER, 1] < face.points[NOSE_TIP, 1] < face.points[CHIN, 1]
    left, top, right, bottom = face.box
    assert 150 < left < right < 300
    assert 50 < top < bottom < 200


def test_depth_grows_away_from_the_viewer_and_is_in_pixels(face):
    cheeks = face.depth[[234, 454]].mean()
    assert face.depth[NOSE_TIP] < 0 < cheeks
    width = face.points[454, 0] - face.points[234, 0]
    assert 0.5 < (cheeks - face.depth[NOSE_TIP]) / width < 1.2


def test_a_shift_of_the_picture_shifts_the_points(detector, astronaut, face):
    shifted = Photo(torch.nn.functional.pad(astronaut.pixels, (0, 0, 40, 0, 24, 0)))
    (moved,) = detector.detect(shifted)
    offset = moved.points - face.points - torch.tensor([40.0, 24.0])
    assert offset.norm(dim=-1).mean() < 1.0


def test_a_picture_without_a_face_gives_none(detector):
    assert detector.detect(Photo(torch.full((64, 96, 3), 0.5))) == []


def test_threads_take_turns_and_agree(detector, astronaut, face):
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(detector.detect, [astronaut] * 8))
    for (other,) in results:
        torch.testing.assert_close(other.points, face.points)


def test_a_closed_detector_starts_again(astronaut):
    needs_detector()
    with MediaPipeDetector() as detector:
        detector.close()
        assert len(detector.detect(astronaut)) == 1


def test_nothing_is_said_on_standard_error_and_importing_the_room_is_light():
    needs_detector()
    code = (
        "import sys, morphface.landmarks\n"
        "assert 'mediapipe' not in sys.modules\n"
        "from morphface.landmarks.detectors.mediapipe import MediaPipeDetector\n"
        "from morphface.media.images import read_image\n"
        "assert 'mediapipe' not in sys.modules\n"
        "print(len(MediaPipeDetector().detect(read_image('sample:astronaut'))))\n"
        "print('still here', file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "still here\n", 0)


@pytest.mark.refusal
def test_without_mediapipe_it_says_what_to_install(monkeypatch, astronaut):
    from morphface.core.errors import MissingDependencyError

    for name in ("mediapipe", "mediapipe.tasks"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match=r"needs mediapipe.*pip install mediapipe"):
        MediaPipeDetector().detect(astronaut)
