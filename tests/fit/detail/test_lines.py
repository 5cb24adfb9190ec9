import pytest
import torch

from morphface.fit.detail.lines import FINE, coherence, drawn_out
from tests.fit.detail.plane import PITCH, SIDE, flat_grid

MIDDLE = slice(16, -16)
ACROSS = torch.arange(SIDE).float() * PITCH


@pytest.fixture
def texels():
    grid, ground = flat_grid()
    return grid, ground.points[:, :2], torch.ones(SIDE * SIDE)


def left_of(texels, told):
    grid, _, trust = texels
    left = drawn_out(grid, told[:, None], trust, PITCH)[0][:, 0]
    return left.reshape(SIDE, SIDE)[MIDDLE, MIDDLE], told.reshape(SIDE, SIDE)[MIDDLE, MIDDLE]


def test_stripes_are_of_one_direction_and_noise_is_not(rng):
    stripes = (ACROSS + 0.5 * ACROSS[:, None]).sin()
    noise = torch.randn(SIDE, SIDE, generator=rng)
    assert coherence(stripes, 4.0)[MIDDLE, MIDDLE].min() > 0.95
    assert coherence(noise, 4.0)[MIDDLE, MIDDLE].mean() < 0.4
    assert coherence(torch.full((SIDE, SIDE), 0.3), 4.0)[MIDDLE, MIDDLE].max() == 0


def test_a_picture_turned_by_a_right_angle_is_as_coherent(rng):
    picture = torch.randn(SIDE, SIDE, generator=rng)
    turned = coherence(picture.rot90(), 4.0).rot90(-1)
    torch.testing.assert_close(turned, coherence(picture, 4.0), atol=1e-4, rtol=1e-4)


def test_a_wrinkle_stays_and_a_freckle_goes(texels):
    x, y = texels[1].unbind(-1)
    x, y = x - x.mean(), y - y.mean()
    wrinkle, freckle = -0.1 * (-(y**2) / 2).exp(), -0.1 * (-(x**2 + y**2) / 2).exp()
    left, whole = left_of(texels, wrinkle)
    torch.testing.assert_close(left, whole, atol=0.005, rtol=0)
    left, whole = left_of(texels, freckle)
    assert left.abs().max() < 0.5 * whole.abs().max()


def test_what_is_wide_stays_whatever_its_form(texels):
    x, y = (2 * torch.pi * texels[1] / (5 * FINE)).unbind(-1)
    left, whole = left_of(texels, 0.1 * x.sin() * y.sin())
    torch.testing.assert_close(left, whole, atol=0.01, rtol=0)
