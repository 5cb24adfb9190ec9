"""A curve that keeps the shape of its points, beside scipy's."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from morphface.core.curves import monotone


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_curve_of_scipy(seed):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.random(3 + seed) + 0.01)
    y = rng.standard_normal(len(x))
    y = np.round(y) if seed % 3 == 0 else y  # level pieces, and turns
    at = np.linspace(x[0], x[-1], 57)
    np.testing.assert_allclose(monotone(x, y, at), PchipInterpolator(x, y)(at), atol=1e-13)


def test_it_goes_through_its_points_and_never_beyond_those_beside():
    x, y = np.array([0.0, 1.0, 2.5, 3.0, 7.0]), np.array([0.0, 4.0, 4.0, -1.0, 2.0])
    np.testing.assert_allclose(monotone(x, y, x), y, atol=1e-14)
    for k in range(4):
        piece = monotone(x, y, np.linspace(x[k], x[k + 1], 50))
        assert (np.diff(piece) * np.sign(y[k + 1] - y[k]) >= -1e-12).all()
