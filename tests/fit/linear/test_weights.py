from dataclasses import replace

import numpy as np
import pytest

from morphface.fit import LinearSettings, fit_linear
from morphface.fit.linear.weights import huber, outliers, roots
from morphface.fit.shared.projection import Guess
from morphface.fit.shared.rows import landmark_rows
from tests.fit.synthetic import SIZE, scene

SETTINGS = LinearSettings(contour_slack=0.04, hidden_weight=0.1)


@pytest.fixture
def guess():
    return Guess(np.eye(3), np.array([0.0, 0.0, -1e6]), 900.0, 0.0, 1.0, np.zeros(10))


def weighted(rows, guess, residual):
    count = len(rows.mean)
    root = roots(rows, np.zeros((count, 3)), np.ones((count, 3)), guess, SETTINGS)
    return np.linalg.norm(root @ np.array(residual), axis=1)


def rows_with_normals(normals, contour):
    rows = landmark_rows(scene().model, "toy")
    count = len(rows.mean)
    return replace(
        rows,
        normals=np.tile(np.array(normals, dtype=float), (count, 1)),
        contour=np.full(count, contour),
    )


def test_a_point_on_the_contour_counts_across_it_and_little_along_it(guess):
    rows = rows_with_normals([0.6, 0.8, 0.0], contour=True)
    across = weighted(rows, guess, [0.6, 0.8, 0.0])
    along = weighted(rows, guess, [-0.8, 0.6, 0.0])
    np.testing.assert_allclose(along / across, 0.2, rtol=1e-6)


def test_a_silhouette_point_that_faces_the_camera_counts_all_around(guess):
    rows = rows_with_normals([0.0, 0.0, 1.0], contour=True)
    np.testing.assert_allclose(weighted(rows, guess, [1.0, 0.0, 0.0]), 1.0)
    np.testing.assert_allclose(weighted(rows, guess, [0.0, 1.0, 0.0]), 1.0)


def test_a_point_that_faces_away_counts_least(guess):
    rows = rows_with_normals([0.0, 0.0, -1.0], contour=False)
    np.testing.assert_allclose(weighted(rows, guess, [1.0, 0.0, 0.0]) ** 2, 0.1)


def test_an_outlier_weighs_a_quarter_at_the_stated_distance():
    residual = np.zeros((101, 3))
    residual[:100, 0], residual[100, 0] = 1.177, 3.0
    weights = outliers(residual, np.ones(101), 3.0, 1e-6)
    assert weights[100] == pytest.approx(0.25)
    assert weights[0] > 0.7


def test_huber_leaves_what_is_near_and_weakens_what_is_far_in_proportion():
    residual = np.zeros((11, 3))
    residual[:, 0] = [1.0] * 10 + [20.0]
    np.testing.assert_allclose(huber(residual, np.ones(11)), [1.0] * 10 + [0.1])


def test_a_given_focal_length_is_kept():
    given = scene(noise=2.0)
    result = fit_linear(given.model, given.landmarks, size=SIZE, focal=1234.0)
    assert result.camera.focal.item() == pytest.approx(1234.0, rel=1e-6)
