from dataclasses import replace

import pytest
import torch

from morphface.core.errors import LandmarkError, ShapeError
from morphface.landmarks import SCHEMES, outer_eye_distance, scheme, tables, to_scheme
from morphface.landmarks.schemes import mirrored, tilt
from morphface.media.images import Photo
from tests.data import shared


@pytest.fixture(scope="module")
def face(detector, astronaut):
    (face,) = detector.detect(astronaut)
    return face


@pytest.mark.parametrize("name", SCHEMES)
def test_mirroring_twice_changes_nothing_and_swaps_the_sides(name):
    which = scheme(name)
    assert sorted(which.mirror) == list(range(which.size))
    assert all(which.mirror[which.mirror[k]] == k for k in range(which.size))
    assert which.mirror[which.outer_eyes[0]] == which.outer_eyes[1]
    for part, points in which.groups.items():
        if part.startswith("right_"):
            other = which.groups[part.replace("right_", "left_")]
            assert {which.mirror[k] for k in points} == set(other)
        elif not part.startswith("left_"):
            assert {which.mirror[k] for k in points} == set(points)


def test_the_68_points_are_mirrored_like_the_mesh_points_that_they_are():
    mesh, mirror = tables.MESH_OF_68, scheme("68").mirror
    assert [tables.MIRROR[mesh[k]] for k in range(68)] == [mesh[mirror[k]] for k in range(68)]


@pytest.mark.parametrize("name", ["478", "68"])
def test_every_part_lies_where_its_name_says(face, name):
    points, groups = to_scheme(face, name).points, scheme(name).groups
    centre = {part: points[list(indices)].mean(0) for part, indices in groups.items()}
    assert centre["right_eye"][0] < centre["nose"][0] < centre["left_eye"][0]
    for side in ("right", "left"):
        assert centre[f"{side}_brow"][1] < centre[f"{side}_eye"][1] < centre["nose"][1]
    assert centre["nose"][1] < centre["inner_lips"][1]
    outer, inner = (points[list(groups[f"{part}_lips"])] for part in ("outer", "inner"))
    assert (outer.amin(0) <= inner.amin(0)).all()
    assert (outer.amax(0) >= inner.amax(0)).all()


def test_the_68_points_follow_the_multi_pie_order(face):
    points = to_scheme(face, "68").points
    assert (points[:17].diff(dim=0)[:, 0] > -1).all()  # the jaw runs from image left to right
    assert points[8, 1] == points[:, 1].max()
    assert (points[17:27].diff(dim=0)[:, 0] > 0).all()
    assert (points[27:31].diff(dim=0)[:, 1] > 0).all()
    assert (points[31:36].diff(dim=0)[:, 0] > 0).all()
    assert points[36:40][:, 0].diff().gt(0).all()  # upper lid from the outer to the inner corner
    assert (points[48:55].diff(dim=0)[:, 0] > 0).all()


def test_the_68_points_agree_with_a_map_made_by_others():
    import numpy as np

    with np.load(shared("ict", "mediapipe478_to_ict.npz")) as file:
        other = file["mediapipe_of_landmark68"]
    inside = slice(17, 68)
    assert list(tables.MESH_OF_68[inside]) == other[inside].tolist()
    assert tables.MESH_OF_68[8] == other[8]
    assert set(tables.MESH_OF_68[:17]) <= set(tables.FACE_OVAL)


def test_irises_are_their_centre_then_image_right_top_image_left_bottom(face):
    for iris in (tables.RIGHT_IRIS, tables.LEFT_IRIS):
        centre, right, top, left, bottom = face.points[list(iris)]
        assert left[0] < centre[0] < right[0]
        assert top[1] < centre[1] < bottom[1]


def test_the_mirrored_picture_has_the_mirrored_landmarks(detector, astronaut, face):
    (other,) = detector.detect(Photo(astronaut.pixels.flip(1)))
    back = mirrored(other, 512.0)
    error = (back.points - face.points).norm(dim=-1).mean() / outer_eye_distance(face.points, "478")
    assert error < 0.03
    torch.testing.assert_close(mirrored(back, 512.0).points, other.points)


def test_tilt_is_zero_upright_and_positive_when_turned_clockwise(face):
    assert abs(tilt(face)) < 0.1
    turn = torch.tensor([[0.0, 1.0], [-1.0, 0.0]])  # x right, y down: a quarter turn clockwise
    turned = replace(face, points=face.points @ turn)
    assert tilt(turned) == pytest.approx(float(tilt(face)) + torch.pi / 2, abs=1e-4)


def test_outer_eye_distance_grows_with_the_face(face):
    one = outer_eye_distance(face.points, "478")
    assert outer_eye_distance(face.points * 3 + 5, "478") == pytest.approx(3 * float(one), rel=1e-5)
    assert outer_eye_distance(to_scheme(face, "68").points, "68") == one


@pytest.mark.refusal
def test_unknown_schemes_and_wrong_sizes_are_refused(face):
    with pytest.raises(LandmarkError, match="unknown landmark scheme '70'; there are 478, 68, 5"):
        scheme("70")
    with pytest.raises(ShapeError, match="points must have shape"):
        outer_eye_distance(face.points, "68")
    with pytest.raises(LandmarkError, match="scheme '68' do not contain those of '478'"):
        to_scheme(to_scheme(face, "68"), "478")
