import json

import pytest
import torch

from morphface.core.errors import LandmarkError, MissingFileError
from morphface.landmarks import read_landmarks

POINTS = (torch.arange(136.0).reshape(68, 2) * 1.5 + 10).tolist()


def saved(tmp_path, name, data):
    path = tmp_path / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def pts(points, n=68):
    body = "\n".join(f"{x} {y}" for x, y in points)
    return f"version: 1\nn_points:  {n}\n{{\n{body}\n}}\n"


def openpose(*faces):
    return {
        "version": 1.3,
        "people": [{"pose_keypoints_2d": [], "face_keypoints_2d": face} for face in faces],
    }


def keypoints(confidence=0.9, missing=()):
    rows = [[x, y, confidence] for x, y in POINTS] + [[50.0, 50.0, 1.0]] * 2
    for k in missing:
        rows[k] = [0.0, 0.0, 0.0]
    return [value for row in rows for value in row]


def test_pts_counts_from_one_at_the_centre_of_the_first_pixel(tmp_path):
    centre_of_first = [[1.0, 1.0], *POINTS[1:]]
    (face,) = read_landmarks(saved(tmp_path, "a.pts", pts(centre_of_first)))
    assert face.scheme == "68"
    assert face.points[0].tolist() == [0.5, 0.5]
    torch.testing.assert_close(face.points[1:], torch.tensor(POINTS[1:]) - 0.5)
    assert face.confidence.min() == 1


def test_plain_json_is_in_our_own_pixels(tmp_path):
    data = {
        "scheme": "68",
        "points": POINTS,
        "confidence": [0.5] * 67 + [0],
        "depth": list(range(68)),
    }
    (face,) = read_landmarks(saved(tmp_path, "a.json", data))
    torch.testing.assert_close(face.points, torch.tensor(POINTS))
    assert face.confidence[-1] == 0
    assert face.depth.tolist() == list(range(68))
    assert face.box == (*POINTS[0], *POINTS[66])  # the absent point is outside


def test_a_list_of_faces_comes_largest_first(tmp_path):
    small = [[x / 2, y / 2] for x, y in POINTS]
    data = [{"scheme": "68", "points": small}, {"scheme": "68", "points": POINTS}]
    faces = read_landmarks(saved(tmp_path, "a.json", data))
    assert [face.points[0].tolist() for face in faces] == [POINTS[0], small[0]]


def test_dense_landmarks_are_read_too(tmp_path):
    data = {"scheme": "478", "points": (torch.rand(478, 2) * 100).tolist()}
    (face,) = read_landmarks(saved(tmp_path, "a.JSON", data))
    assert face.points.shape == (478, 2)


def test_openpose_counts_from_zero_and_marks_what_is_absent(tmp_path):
    path = saved(tmp_path, "a.json", openpose(keypoints(missing=(0, 67)), keypoints(0.0), []))
    (face,) = read_landmarks(path)
    assert face.points.shape == (68, 2)
    torch.testing.assert_close(face.points[1:67], torch.tensor(POINTS[1:67]) + 0.5)
    assert torch.nonzero(face.confidence == 0)[:, 0].tolist() == [0, 67]
    assert face.box[0] == POINTS[1][0] + 0.5


def refused(text, path, error=LandmarkError):
    with pytest.raises(error, match=text) as caught:
        read_landmarks(path)
    assert "\n" not in str(caught.value)


@pytest.mark.refusal
def test_missing_or_foreign_files_are_refused(tmp_path):
    refused("there is no landmark file .*a.pts", tmp_path / "a.pts", MissingFileError)
    refused("must be a .pts, .json, .csv or .npy file", saved(tmp_path, "a.xml", "1,2"))
    (tmp_path / "b.pts").write_bytes(b"\xff\xfe\0\x80")
    refused("b.pts is not a text file", tmp_path / "b.pts")
    with (tmp_path / "c.json").open("wb") as file:
        file.truncate(2**25)
    refused("c.json is larger than 16 MiB", tmp_path / "c.json")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hello", "is not a .pts file: it needs n_points"),
        (pts(POINTS[:51], 51), "has 51 points; known are faces of 5, 68, 98, 106, 468, 478 points"),
        (pts([["a", "b"], *POINTS[1:]]), "a point that is not two numbers"),
        (pts([["nan", "1"], *POINTS[1:]]), "1 numbers in points that are not finite"),
        (pts([["1", "2 3"], *POINTS[1:]]), "points that are not a table of numbers"),
    ],
)
def test_a_pts_file_of_something_else_is_refused(tmp_path, content, text):
    refused(text, saved(tmp_path, "a.pts", content))


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        (3, 'needs "points" and "scheme"'),
        ([], "holds no face"),
        ({"scheme": "70", "points": POINTS}, "unknown landmark scheme '70'"),
        ({"scheme": "5", "points": POINTS}, r"shape \(68, 2\), but scheme 5 needs \(5, 2\)"),
        ({"scheme": "68", "points": "none"}, "points that are not a table of numbers"),
        ({"scheme": "68", "points": POINTS, "depth": [1]}, "1 values of depth for 68 points"),
        ({"scheme": "68", "points": POINTS, "confidence": [2] * 68}, "outside of 0 to 1"),
        ({"scheme": "68", "points": POINTS, "confidence": [0] * 68}, "above 0, too few"),
        ({"scheme": "68", "points": [[float("inf"), 0]] * 68}, "68 numbers in points that are not"),
        ({"people": 3}, "run OpenPose with --face"),
        ({"people": [{}]}, "run OpenPose with --face"),
        (openpose([1.0] * 30), "has 30 numbers in face_keypoints_2d, but OpenPose writes 210"),
        (openpose([0.5] * 210), "run OpenPose with --keypoint_scale 0"),
        (openpose(keypoints(0.0)), "holds no face"),
    ],
)
def test_json_of_something_else_is_refused(tmp_path, content, text):
    refused(text, saved(tmp_path, "a.json", content))
