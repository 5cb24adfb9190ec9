import pytest
import torch

from morphface.landmarks import embed_five
from morphface.models import load_model
from morphface.pipelines.photo import fit_photo
from tests.data import shared


def test_the_five_points_lie_between_the_corners_of_the_eyes_and_on_nose_and_mouth():
    model = load_model("open-head")
    mean = model.identity.mean
    five, known = embed_five(model).points(mean), model.landmarks["68"].points(mean)
    torch.testing.assert_close(five[2:], known[[30, 48, 54]])
    for eye, (outer, inner) in enumerate(((36, 39), (42, 45))):
        middle = (known[outer] + known[inner]) / 2
        assert (five[eye] - middle).norm() < 3.0  # millimetres: corners are taken at vertices
    right, left, nose, *_ = five
    assert float(right[0]) < float(nose[0]) < float(left[0])


def test_the_triangles_of_the_eyes_face_outwards():
    model = load_model("open-head")
    a, b, c = model.identity.mean[embed_five(model).triangles].unbind(dim=1)
    normals = torch.linalg.cross(b - a, c - a)
    assert bool((normals[:2, 2] > 0).all())


def test_a_full_profile_gets_a_fit_and_an_honest_verdict(detector):
    (face,) = fit_photo(shared("photos", "old_man_side.jpg"), stage="linear").faces
    assert face.fit.landmarks.scheme == "5"
    assert 60 < face.pose_degrees["yaw"] < 90  # he looks to the right of the picture
    assert abs(face.pose_degrees["roll"]) < 20
    assert face.landmark_nme < 0.1
    warned = {warning.name: warning.value for warning in face.verdict.warnings}
    assert warned["turned"] == pytest.approx(70, abs=15)
