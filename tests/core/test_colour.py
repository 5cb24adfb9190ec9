import pytest
import torch

from morphface.core.colour import linear_to_srgb, srgb_to_linear

CURVES = [srgb_to_linear, linear_to_srgb]


def test_picture_values_meet_the_known_amounts_of_light():
    greys = torch.tensor([0.0, 0.04045, 0.5, 0.7353569, 1.0])
    light = torch.tensor([0.0, 0.0031308, 0.2140411, 0.5, 1.0])
    torch.testing.assert_close(srgb_to_linear(greys), light, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(linear_to_srgb(light), greys, atol=1e-6, rtol=1e-5)


def test_the_curves_invert_each_other_also_beyond_black_and_white():
    values = torch.linspace(-0.5, 3, 1001, dtype=torch.float64)[:, None]
    torch.testing.assert_close(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-6, rtol=0)
    torch.testing.assert_close(srgb_to_linear(linear_to_srgb(values)), values, atol=1e-6, rtol=0)


@pytest.mark.parametrize("curve", CURVES)
def test_the_curves_rise_without_a_jump(curve):
    steps = curve(torch.linspace(-0.1, 2, 20001, dtype=torch.float64)[:, None]).diff(dim=0)
    assert steps.min() > 0
    assert steps.max() < 13 * 2.1 / 20000


@pytest.mark.parametrize("curve", CURVES)
def test_slopes_are_those_of_central_differences_and_finite_at_black(curve):
    values = torch.tensor([[-0.2, 0.0, 0.002, 0.3, 1.0, 1.7]], dtype=torch.float64)
    assert torch.autograd.gradcheck(curve, values.requires_grad_())
    black = torch.zeros(1, 3, requires_grad=True)
    curve(black).sum().backward()
    assert (black.grad > 0).all()
    assert black.grad.isfinite().all()
