import numpy as np
import pytest

from benchmarks.regions import PARTS, canonical_face, now_region, part_of_marks, part_of_points
from morphface.landmarks.tables import MIRROR
from tests.data import shared

PLACES = {
    "nose": (1, 4, 2, 129, 6),
    "eyes and brows": (33, 133, 159, 145, 105, 66, 9),
    "mouth": (61, 0, 17, 13, 14, 291),
    "cheeks": (50, 205, 234, 425),
    "jaw": (152, 172, 58, 397, 199),
    "forehead": (10, 151, 69, 103),
}


@pytest.fixture(scope="module")
def canonical():
    return canonical_face(shared("ict", "mediapipe_canonical_face_model.obj"))


@pytest.mark.parametrize("part", PLACES)
def test_known_landmarks_are_of_their_part(canonical, part):
    parts = part_of_marks(canonical)
    assert [PARTS[parts[mark]] for mark in PLACES[part]] == [part] * len(PLACES[part])


def test_both_sides_are_alike(canonical):
    parts = part_of_marks(canonical)
    assert (parts == parts[list(MIRROR[:468])]).all()


def test_a_point_is_of_the_part_of_its_nearest_landmark_that_is_there():
    marks = np.array([[0.0, 0, 0], [10, 0, 0], [np.nan, 0, 0]])
    points = np.array([[1.0, 2, 0], [9, 0, 3], [21, 0, 0], [23, 0, 0]])
    assert part_of_points(points, marks, np.array([2, 4, 5])).tolist() == [2, 4, 4, -1]


def test_the_region_of_now_is_a_ball_sized_by_eyes_and_nose():
    marks = np.full((478, 3), np.nan)
    marks[[33, 133, 362, 263, 2, 61, 291]] = [
        [-45, 0, 0], [-15, 0, 0], [15, 0, 0], [45, 0, 0], [0, -50, 0], [-25, -70, 0], [25, -70, 0]
    ]  # fmt: skip
    radius, middle = 0.7 * (90 + 50), -35.0
    points = np.array([[0, middle + radius - 0.1, 0], [0, middle + radius + 0.1, 0]])
    assert now_region(points, marks).tolist() == [True, False]
