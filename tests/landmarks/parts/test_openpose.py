import json

import numpy as np
import pytest
import torch

from morphface.core.errors import LandmarkError
from morphface.landmarks import Landmarks, read_landmarks
from morphface.landmarks.parts import PartsFace, face_graph, openpose_json, write_openpose
from morphface.landmarks.parts.pose import HeadPose

GRAPH = face_graph("face")


def parts_face():
    rng = np.random.default_rng(0)
    points, sure = rng.uniform(50, 90, (18, 2)), rng.uniform(0.3, 1, 18)
    sure[3], points[3] = 0, np.nan
    return PartsFace(GRAPH, points, sure, 0.8, HeadPose(np.eye(3), 1, np.zeros(2), 0), (0, 0, 9, 9))


def test_what_is_written_reads_as_it_was(tmp_path):
    points, sure = torch.rand(68, 2) * 100 + 20, torch.rand(68) * 0.9 + 0.1
    face = Landmarks(points, "68", sure, (0.0, 0.0, 1.0, 1.0))
    write_openpose(tmp_path / "faces.json", [face])
    again = read_landmarks(tmp_path / "faces.json")
    assert len(again) == 1
    torch.testing.assert_close(again[0].points, points, atol=1e-3, rtol=0)
    torch.testing.assert_close(again[0].confidence, sure, atol=1e-3, rtol=0)


def test_parts_come_where_the_seventy_have_them(tmp_path):
    face = parts_face()
    write_openpose(tmp_path / "faces.json", [face])
    again = read_landmarks(tmp_path / "faces.json")[0]
    for part, point in enumerate(GRAPH.points):
        if point >= 68:
            continue
        assert again.confidence[point].item() == pytest.approx(face.confidence[part], abs=1e-3)
        if face.confidence[part]:
            np.testing.assert_allclose(again.points[point], face.points[part], atol=2e-3)
    pupil = json.loads(openpose_json([face]))["people"][0]["face_keypoints_2d"][3 * 68 : 3 * 69]
    np.testing.assert_allclose(pupil[:2], face.points[0] - 0.5, atol=1e-3)


def test_the_form_is_that_of_version_1_3():
    data = json.loads(openpose_json([parts_face()] * 2))
    assert data["version"] == 1.3
    person = data["people"][1]
    assert person["person_id"] == [-1]
    assert len(person["face_keypoints_2d"]) == 210
    assert person["pose_keypoints_2d"] == person["hand_right_keypoints_3d"] == []
    assert person["face_keypoints_2d"][3 * 39 : 3 * 40] == [0, 0, 0]


def test_five_points_come_where_the_seventy_have_them():
    points, sure = torch.rand(5, 2) * 50 + 20, torch.tensor([0.9, 0.0, 0.8, 0.7, 0.6])
    face = Landmarks(points, "5", sure, (0.0, 0.0, 1.0, 1.0))
    row = json.loads(openpose_json([face]))["people"][0]["face_keypoints_2d"]
    table = np.array(row).reshape(70, 3)
    places = [68, 69, 30, 48, 54]
    np.testing.assert_allclose(table[places, 2], sure, atol=1e-3)
    np.testing.assert_allclose(table[[68, 30, 48, 54], :2], points[[0, 2, 3, 4]] - 0.5, atol=1e-3)
    assert not table[[k for k in range(70) if k not in (68, 30, 48, 54)]].any()


@pytest.mark.refusal
def test_a_scheme_that_there_is_not_is_refused():
    face = Landmarks(torch.rand(29, 2), "29", torch.ones(29), (0.0, 0.0, 1.0, 1.0))
    with pytest.raises(LandmarkError, match="unknown landmark scheme '29'; there are 478, 68, 5"):
        openpose_json([face])
