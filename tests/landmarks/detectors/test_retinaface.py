import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from morphface.core.errors import MissingDependencyError, MissingFileError
from morphface.landmarks import outer_eye_distance
from morphface.landmarks.detectors.retinaface import RetinaFaceDetector
from morphface.media.images import Photo

PHOTO = Photo(torch.full((60, 90, 3), 0.5))


def face(x, size, score):
    eyes = [[x + 0.3 * size, 20.0], [x + 0.7 * size, 20.0]]
    rest = [[x + 0.5 * size, 30.0], [x + 0.35 * size, 40.0], [x + 0.65 * size, 40.0]]
    return {"bbox": [x, 5.0, x + size, 5.0 + size], "score": score, "landmarks": eyes + rest}


class StandIn:
    """The interface of `retinaface.predict_single.Model` 0.0.8."""

    annotations = (face(0.0, 20.0, 0.98), face(30.0, 40.0, np.float64(0.75)))

    def __init__(self, max_size=960, device="cpu"):
        self.settings, self.ready, self.calls = (max_size, device), False, 0

    def eval(self):
        self.ready = True

    def predict_jsons(self, image, confidence_threshold=0.7, nms_threshold=0.4):
        self.calls += 1
        valid = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3
        if not (self.ready and valid):
            raise TypeError("this is not how the package is called")
        kept = [found for found in self.annotations if found["score"] > confidence_threshold]
        return kept or [{"bbox": [], "score": -1, "landmarks": []}]


@pytest.fixture
def package(monkeypatch):
    """A module in the place of `retinaface.pre_trained_models`; what it made is in `made`."""
    module = ModuleType("retinaface.pre_trained_models")
    module.made = []

    def get_model(model_name, max_size, device="cpu"):
        if model_name != "resnet50_2020-07-20":
            raise KeyError(model_name)
        module.made.append(StandIn(max_size, device))
        return module.made[-1]

    module.get_model = get_model
    monkeypatch.setitem(sys.modules, "retinaface", ModuleType("retinaface"))
    monkeypatch.setitem(sys.modules, "retinaface.pre_trained_models", module)
    return module


def test_faces_come_largest_first_with_box_points_and_score(package):
    large, small = RetinaFaceDetector().detect(PHOTO)
    assert large.scheme == "5"
    assert large.box == (30.5, 5.5, 70.5, 45.5)
    assert large.points[0].tolist() == [42.5, 20.5]
    assert large.confidence.tolist() == [0.75] * 5
    assert small.points[0, 0] < small.points[1, 0]
    assert outer_eye_distance(large.points, "5") == pytest.approx(16.0)


def test_the_network_is_made_once_with_the_settings(package):
    detector = RetinaFaceDetector(max_size=512)
    detector.detect(PHOTO)
    detector.detect(PHOTO)
    assert [(m.settings, m.calls) for m in package.made] == [((512, "cpu"), 2)]


def test_a_picture_without_a_face_gives_none(package):
    assert RetinaFaceDetector(threshold=0.99).detect(PHOTO) == []


@pytest.mark.refusal
def test_without_the_package_it_says_how_to_get_around_the_pins(monkeypatch):
    monkeypatch.setitem(sys.modules, "retinaface", None)
    with pytest.raises(MissingDependencyError, match="pip install --no-deps retinaface-pytorch"):
        RetinaFaceDetector().detect(PHOTO)


@pytest.mark.refusal
def test_a_torchvision_for_another_torch_is_one_sentence(monkeypatch, package):
    class Broken:
        def __getattr__(self, name):
            raise RuntimeError("operator torchvision::nms does not exist\nand more")

    monkeypatch.setitem(sys.modules, "retinaface.pre_trained_models", Broken())
    with pytest.raises(MissingDependencyError, match=r"\(operator torchvision::nms") as caught:
        RetinaFaceDetector().detect(PHOTO)
    assert "\n" not in str(caught.value)


@pytest.mark.refusal
def test_weights_that_cannot_be_fetched_are_one_sentence(package):
    def offline(*_, **__):
        raise OSError("no route")

    package.get_model = offline
    with pytest.raises(MissingFileError, match="cannot download RetinaFace's weights.*checkpoints"):
        RetinaFaceDetector().detect(PHOTO)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # it uses names that torchvision calls old
def test_the_real_network_runs_where_it_is_installed():
    single = pytest.importorskip(
        "retinaface.predict_single", exc_type=ImportError, reason="retinaface-pytorch is absent"
    )
    torch.manual_seed(0)
    detector = RetinaFaceDetector(threshold=0.0)
    detector._network = single.Model(max_size=96)
    detector._network.eval()
    faces = detector.detect(PHOTO)  # of random weights: nonsense, in the right form
    assert faces
    assert all(face.points.shape == (5, 2) for face in faces)
