"""Values between places, beside scipy's radial basis functions."""

import numpy as np
from scipy.interpolate import RBFInterpolator

from morphface.rerender.spread import STIFF, _radial


def test_values_between_places_are_those_of_scipy():
    rng = np.random.default_rng(2)
    places, values, wanted = (rng.random((n, c)) for n, c in ((30, 2), (30, 3), (80, 2)))
    spline = RBFInterpolator(places, values, smoothing=STIFF, kernel="linear")
    np.testing.assert_allclose(_radial(places, values, wanted), spline(wanted), atol=1e-9)
