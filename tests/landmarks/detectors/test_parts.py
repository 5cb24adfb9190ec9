import numpy as np
import pytest
import torch

from morphface.core.errors import MissingFileError
from morphface.landmarks import LandmarkDetector, Landmarks
from morphface.landmarks.detectors import parts
from morphface.landmarks.detectors.parts import PartsDetector, five_of_parts
from morphface.landmarks.parts import (
    PartsConfig,
    PartsNetwork,
    affinity_fields,
    confidence_maps,
    face_graph,
)
from morphface.landmarks.parts.network import Reply
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.synthetic.crowds import part_points

GRAPH = face_graph("face")
SIDE = 184


@pytest.fixture(scope="module")
def sight():
    """A network that sees the mean head ahead, about the middle, whatever it is shown."""
    model = load_model()
    network = PartsNetwork(PartsConfig(features=8, width=4, blocks=1, stages=1)).eval()
    network.template.copy_(part_points(model).points(model.identity.mean)[list(GRAPH.points)])
    network.mesh.copy_(model.landmark_embedding("478").points(model.identity.mean))
    flat = network.template[:, :2].numpy() * [0.5, -0.5] + SIDE / 2
    seen, cells = np.ones((1, 18), bool), (SIDE // 8, SIDE // 8)
    maps = torch.from_numpy(confidence_maps(flat[None], seen, cells))
    fields = torch.from_numpy(affinity_fields(flat[None], seen, GRAPH, cells)).flatten(0, 1)
    reply = Reply((fields[None],), (torch.cat([maps, maps[:1] * 0])[None],))
    network.forward = lambda _: reply
    return network, flat


def photo(side=SIDE):
    return Photo(torch.zeros(side, side, 3, dtype=torch.uint8))


def test_it_is_a_detector_and_finds_the_face_from_its_parts(sight):
    network, flat = sight
    detector = PartsDetector(network, mesh=False, sides=(SIDE,))
    assert isinstance(detector, LandmarkDetector)
    faces = detector.detect(photo())
    assert [face.scheme for face in faces] == ["5"]
    five = flat[[GRAPH.part(k) for k in (68, 69, 30, 48, 54)]]
    np.testing.assert_allclose(faces[0].points, five, atol=2)
    assert faces[0].confidence.min() > 0.5


def test_places_are_those_of_the_picture_not_of_what_was_shown(sight):
    network, flat = sight
    face = PartsDetector(network, mesh=False, sides=(SIDE,)).parts(photo(2 * SIDE))[0]
    np.testing.assert_allclose(face.points, 2 * flat, atol=4)


def test_the_box_is_that_of_the_mesh_turned_as_the_parts_are(sight):
    network, _ = sight
    face = PartsDetector(network, mesh=False, sides=(SIDE,)).parts(photo())[0]
    mesh = network.mesh[:, :2].numpy() * [0.5, -0.5] + SIDE / 2
    np.testing.assert_allclose(face.box, [*mesh.min(0), *mesh.max(0)], atol=4)
    assert abs(face.pose.yaw) < 0.15


def test_mediapipes_points_are_taken_where_they_agree(sight, monkeypatch):
    network, _ = sight
    mesh = network.mesh[:, :2] * torch.tensor([0.5, -0.5]) + SIDE / 2
    known = Landmarks(mesh, "478", torch.ones(478), (0.0, 0.0, 9.0, 9.0))
    detector = PartsDetector(network, sides=(SIDE,))
    monkeypatch.setattr(parts, "follow_mesh", lambda *_: known)
    assert detector.detect(photo())[0].scheme == "478"
    away = Landmarks(mesh + 40, "478", torch.ones(478), (0.0, 0.0, 9.0, 9.0))
    monkeypatch.setattr(parts, "follow_mesh", lambda *_: away)
    assert detector.detect(photo())[0].scheme == "5"
    monkeypatch.setattr(parts, "follow_mesh", lambda *_: None)
    assert detector.detect(photo())[0].scheme == "5"


def test_of_hidden_parts_the_confidence_is_none(sight):
    network, _ = sight
    face = PartsDetector(network, mesh=False, sides=(SIDE,)).parts(photo())[0]
    face.confidence[GRAPH.part(69)] = 0
    five = five_of_parts(face)
    assert five.confidence[1] == 0
    assert five.points.isfinite().all()


@pytest.mark.refusal
def test_without_its_network_it_says_how_to_train_one(tmp_path):
    with pytest.raises(MissingFileError, match="train one with: morphface train parts"):
        PartsDetector(tmp_path / "none")
