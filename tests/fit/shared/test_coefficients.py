from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.fit.shared.coefficients import coefficient_priors, ellipsoid
from morphface.models import ExpressionBasis

NAMES = ("jawOpen", "tongue", "free")
BOUNDS = torch.tensor([[0.0, 1.0], [-2.0, 4.0], [-torch.inf, torch.inf]])


@pytest.fixture
def basis():
    return ExpressionBasis(torch.zeros(3, 5, 3), NAMES, BOUNDS)


def priors(basis, scores, expression_spread=0.25, score_spread=0.15):
    return coefficient_priors(
        basis, scores, expression_spread=expression_spread, score_spread=score_spread
    )


@pytest.mark.parametrize("rank", [4, 80])
def test_the_ellipsoid_ends_so_many_deviations_beyond_the_mean_of_squared_lengths(rank):
    lengths = np.random.default_rng(0).normal(size=(20000, rank)) ** 2
    squares = lengths.sum(axis=1)
    for radius in (0.0, 2.0):
        wanted = squares.mean() + radius * squares.std()
        assert ellipsoid(rank, radius) ** 2 == pytest.approx(wanted, rel=0.02)


def test_without_scores_a_bounded_weight_rests_and_varies_by_a_share_of_its_range(basis):
    mean, spread = priors(basis, {})
    np.testing.assert_allclose(mean, 0)
    np.testing.assert_allclose(spread, [0.25, 1.5, 1.0])


def test_a_score_is_a_share_of_the_range_and_tells_nothing_of_other_weights(basis):
    mean, spread = priors(basis, {"tongue": 0.5, "somebodyElses": 1.0})
    np.testing.assert_allclose(mean, [0.0, 1.0, 0.0])
    np.testing.assert_allclose(spread, [0.25, 0.9, 1.0])


def test_a_weight_without_bounds_is_normal_whatever_its_score_says(basis):
    mean, spread = priors(basis, {"free": 0.8})
    assert (mean[2], spread[2]) == (0.0, 1.0)


def test_the_ends_of_scores_are_the_bounds(basis):
    for score, side in ((0.0, 0), (1.0, 1)):
        mean, _ = priors(basis, dict.fromkeys(NAMES, score))
        np.testing.assert_allclose(mean[:2], BOUNDS[:2, side].numpy())


def test_a_weight_that_may_not_move_keeps_a_finite_precision(basis):
    held = replace(basis, bounds=torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    _, spread = priors(held, {"jawOpen": 1.0})
    assert 0 < spread[0] < 1e-6
    assert np.isfinite(1 / spread**2).all()
