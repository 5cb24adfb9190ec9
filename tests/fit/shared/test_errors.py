import math

import numpy as np
import pytest
import torch

from morphface.fit.shared.errors import landmark_error
from morphface.landmarks.points import Landmarks
from morphface.landmarks.schemes import scheme


@pytest.fixture
def points():
    return torch.rand(68, 2, generator=torch.Generator().manual_seed(0)).double() * 100


def marks(points, name="68", confidence=None):
    confidence = torch.ones(len(points)) if confidence is None else confidence
    return Landmarks(points.float(), name, confidence, (0.0, 0.0, 100.0, 100.0))


def everywhere(points):
    return np.ones(len(points), dtype=bool)


def test_points_that_are_all_off_alike_are_off_by_that_share_of_the_eyes_distance(points):
    right, left = scheme("68").outer_eyes
    width = float((points[left] - points[right]).norm())
    off = points.numpy() + np.array([3.0, -4.0])
    found = landmark_error(marks(points), off, everywhere(points))
    assert found == pytest.approx(5.0 / width, rel=1e-4)


def test_it_is_the_same_at_any_size_place_and_turn(points):
    rng = np.random.default_rng(1)
    predicted = points.numpy() + rng.normal(size=(68, 2))
    turn = 2.5 * np.array([[0.6, -0.8], [0.8, 0.6]])
    moved, there = points.numpy() @ turn.T + 30.0, predicted @ turn.T + 30.0
    all_of_them = everywhere(points)
    wanted = landmark_error(marks(points), predicted, all_of_them)
    found = landmark_error(marks(torch.from_numpy(moved)), there, all_of_them)
    assert found == pytest.approx(wanted, rel=1e-4)


def test_points_that_do_not_count_may_be_anywhere(points):
    counted = everywhere(points)
    counted[[3, 50]] = False
    predicted = points.numpy() + 1.0
    wanted = landmark_error(marks(points), predicted, counted)
    predicted[[3, 50]] = 1e6
    assert landmark_error(marks(points), predicted, counted) == pytest.approx(wanted)


def test_nothing_that_counts_is_no_error_at_all(points):
    nothing = ~everywhere(points)
    assert math.isnan(landmark_error(marks(points), points.numpy(), nothing))


def test_eye_corners_that_were_not_found_are_where_they_are_predicted(points):
    corners = list(scheme("68").outer_eyes)
    predicted = points.numpy() + 2.0
    absent = torch.ones(68)
    absent[corners] = 0
    lost = points.clone()
    lost[corners] = torch.tensor([[-500.0, 0.0], [900.0, 40.0]]).double()
    counted = everywhere(points)
    counted[corners] = False
    wanted = landmark_error(marks(points), predicted, counted)
    found = landmark_error(marks(lost, confidence=absent), predicted, counted)
    assert found == pytest.approx(wanted, rel=1e-4)


def test_of_an_unknown_scheme_half_the_extent_stands_for_the_eyes_distance():
    corners = torch.tensor([[0.0, 0.0], [40.0, 0.0], [40.0, 10.0], [0.0, 10.0]])
    off = corners.double().numpy() + [0.0, 2.0]
    found = landmark_error(marks(corners, "somebody's"), off, np.ones(4, dtype=bool))
    assert found == pytest.approx(2.0 / 20.0)
