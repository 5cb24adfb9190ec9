import pytest
import torch

from morphface.core.errors import ShapeError
from morphface.models import ExpressionBasis


def test_projecting_an_instance_returns_its_coefficients(toy, rng):
    x = torch.randn(5, toy.identity.rank, generator=rng)
    torch.testing.assert_close(toy.identity.project(toy.identity.instance(x)), x)


def test_fewer_coefficients_equal_zero_padded_ones(toy, rng):
    x = torch.randn(2, generator=rng)
    padded = torch.cat([x, torch.zeros(toy.identity.rank - 2)])
    torch.testing.assert_close(toy.identity.instance(x), toy.identity.instance(padded))


def test_instances_are_linear_in_the_coefficients(toy, rng):
    a, b = torch.randn(2, toy.identity.rank, generator=rng)
    offset = toy.identity.offset
    torch.testing.assert_close(offset(2 * a - b), 2 * offset(a) - offset(b))


@pytest.mark.refusal
def test_too_many_coefficients_are_named(toy):
    with pytest.raises(ShapeError, match="coefficients has 7 entries, but the basis has rank 6"):
        toy.identity.instance(torch.zeros(7))


@pytest.mark.refusal
def test_every_expression_needs_a_name(toy):
    with pytest.raises(ShapeError, match="names must have 4 entries, got 1"):
        ExpressionBasis(toy.expression.directions, ("smile",), toy.expression.bounds)
