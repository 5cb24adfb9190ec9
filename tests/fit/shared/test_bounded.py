import numpy as np
import pytest
from scipy.optimize import minimize

from morphface.fit.shared.bounded import Box, bounded_minimum, solve


def problem(seed, size=9):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(size, size))
    return factor @ factor.T + 0.1 * np.eye(size), 4.0 * rng.normal(size=size)


def box(size=9, radius=np.inf):
    lower, upper = np.full(size, -np.inf), np.full(size, np.inf)
    lower[4:], upper[4:] = 0.0, 1.0
    ball = np.arange(size) < 4
    return Box(lower, upper, ball, radius)


def value(hessian, gradient, x):
    return x @ hessian @ x / 2 - gradient @ x


@pytest.mark.parametrize("seed", range(20))
def test_the_minimum_between_bounds_is_that_of_a_general_solver(seed):
    hessian, gradient = problem(seed)
    given = box()
    found = bounded_minimum(hessian, gradient, given)
    reference = minimize(
        lambda x: value(hessian, gradient, x),
        np.full(9, 0.5),
        jac=lambda x: hessian @ x - gradient,
        bounds=list(zip(given.lower, given.upper, strict=True)),
        options={"ftol": 1e-14, "gtol": 1e-10, "maxiter": 1000},
    )
    np.testing.assert_allclose(found, reference.x, atol=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_in_the_ball_the_gradient_points_along_the_radius(seed):
    hessian, gradient = problem(seed)
    free = box()
    radius = 0.5 * free.length(bounded_minimum(hessian, gradient, free))
    given = box(radius=radius)
    found = bounded_minimum(hessian, gradient, given)
    slope = (gradient - hessian @ found)[given.ball]
    outward = found[given.ball] / np.linalg.norm(found[given.ball])
    assert given.length(found) == pytest.approx(radius, rel=1e-3)
    assert slope @ outward == pytest.approx(np.linalg.norm(slope), rel=2e-2)


def test_without_bounds_it_is_the_linear_solution():
    hessian, gradient = problem(0)
    none = Box(np.full(9, -np.inf), np.full(9, np.inf), np.zeros(9, dtype=bool), 1.0)
    np.testing.assert_allclose(
        bounded_minimum(hessian, gradient, none), np.linalg.solve(hessian, gradient)
    )


@pytest.mark.refusal
def test_a_hessian_without_a_minimum_is_refused():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        solve(-np.eye(3), np.ones(3))
