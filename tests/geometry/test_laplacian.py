import numpy as np
import pytest
from scipy.sparse import csc_matrix, diags

from morphface.geometry.laplacian import cotangent_laplacian, graph_laplacian, solved


def grid(side=12, width=3.0):
    """A flat square of `side` x `side` vertices, `width` wide."""
    y, x = np.mgrid[:side, :side] * (width / (side - 1))
    vertices = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + side], axis=1)
    upper = np.stack([corner + 1, corner + side + 1, corner + side], axis=1)
    return vertices, np.concatenate([lower, upper])


def test_areas_add_up():
    vertices, faces = grid()
    assert cotangent_laplacian(vertices, faces)[1].sum() == pytest.approx(9.0)


def test_a_constant_has_no_gradient_and_a_slope_its_own():
    vertices, faces = grid()
    laplacian, _ = cotangent_laplacian(vertices, faces)
    np.testing.assert_allclose(laplacian @ np.ones(len(vertices)), 0.0, atol=1e-12)
    slope = vertices @ [2.0, 1.0, 0.0]
    # Diagonals, whose cotangents are 0, are kept at the least one, which adds a little.
    assert slope @ laplacian @ slope == pytest.approx(9.0 * 5.0, rel=0.02)


def test_a_system_is_solved():
    vertices, faces = grid()
    laplacian, area = cotangent_laplacian(vertices, faces)
    system = csc_matrix(laplacian + diags(area))
    wanted = np.random.default_rng(0).normal(size=(len(vertices), 2))
    np.testing.assert_allclose(solved(system, system @ wanted), wanted, atol=1e-9)


def test_the_laplacian_of_a_graph_sums_squared_steps():
    pairs = np.array([[0, 1], [1, 2], [0, 3]])
    values = np.random.default_rng(0).normal(size=5)
    steps = values[pairs[:, 0]] - values[pairs[:, 1]]
    laplacian = graph_laplacian(pairs, 5)
    assert values @ laplacian @ values == pytest.approx((steps**2).sum())
    np.testing.assert_array_equal(laplacian.toarray()[4], 0.0)
