import hashlib

import numpy as np
import pytest
import torch

from morphface.landmarks import YuNetDetector
from morphface.landmarks.detectors import yunet
from morphface.landmarks.detectors.yunet import levels
from morphface.landmarks.schemes import five_points
from morphface.media.images import Photo
from tests.landmarks.test_search import crowd, scaled, truth  # noqa: F401


def test_the_file_is_that_of_the_script_which_fetches_it():
    content = yunet._FILE.read_bytes()
    script = (yunet._FILE.parents[3] / "assets/faces/fetch.py").read_text(encoding="utf-8")
    assert hashlib.sha256(content).hexdigest() in script


@pytest.mark.parametrize("factor", [1.0, 0.5, 4.0])
def test_its_points_are_those_of_the_landmarks_at_any_size(detector, astronaut, factor):
    (direct,) = detector.detect(astronaut)
    faces = YuNetDetector().detect(Photo(scaled(astronaut.pixels, factor)))
    face = max(faces, key=lambda face: float(face.confidence[0]))
    size = direct.box[3] - direct.box[1]
    assert (face.points / factor - five_points(direct)).norm(dim=-1).mean() < 0.06 * size
    assert float(face.confidence[0]) > 0.9


def test_small_faces_are_found_by_themselves(truth):  # noqa: F811
    photo, wanted = crowd(truth, 24)
    faces = YuNetDetector().detect(photo)
    assert len(faces) == len(wanted)


def test_a_picture_with_nobody_has_none():
    rng = np.random.default_rng(0)
    assert YuNetDetector().detect(Photo(torch.from_numpy(rng.random((300, 400, 3))).float())) == []


@pytest.mark.parametrize("area", [0.1e6, 1.4e6, 3e6, 12e6, 22e6, 100e6])
def test_work_is_bounded_and_faces_of_40_pixels_keep_20(area):
    height, width = round((area * 2 / 3) ** 0.5), round((area * 3 / 2) ** 0.5)
    scales = levels(height, width)
    looked_at = sum((height * s) * (width * s) for s in scales)
    assert looked_at < 1.07 * 6e6
    assert scales[0] * 40 >= 20 or area > 24e6
    assert scales[0] == 1.0 or area > 1.5e6
    assert all(b == pytest.approx(a / 4) for a, b in zip(scales, scales[1:], strict=False))
    assert scales[-1] * width < 4 * 160  # so that a face as large as the picture is seen
