import pytest
import torch

from morphface.core.ramps import ramp, smoothstep

VALUES = torch.linspace(-3, 5, 801, dtype=torch.float64)


@pytest.mark.parametrize("curve", [ramp, smoothstep])
def test_a_ramp_is_level_beyond_its_limits_and_half_way_in_their_middle(curve):
    made = curve(VALUES, -1.0, 3.0)
    assert (made[VALUES <= -1] == 0).all()
    assert (made[VALUES >= 3] == 1).all()
    assert float(curve(torch.tensor(1.0), -1.0, 3.0)) == 0.5
    assert (made.diff() >= 0).all()


@pytest.mark.parametrize("curve", [ramp, smoothstep])
def test_limits_the_other_way_round_turn_it_round(curve):
    torch.testing.assert_close(curve(VALUES, 3.0, -1.0), 1 - curve(VALUES, -1.0, 3.0))


def test_a_ramp_is_straight_and_a_smooth_one_level_at_its_ends():
    torch.testing.assert_close(ramp(VALUES, -3.0, 5.0), (VALUES + 3) / 8)
    places = torch.tensor([-1.0, 1.0, 3.0], dtype=torch.float64, requires_grad=True)
    smoothstep(places, -1.0, 3.0).sum().backward()
    torch.testing.assert_close(places.grad, torch.tensor([0.0, 0.375, 0.0], dtype=torch.float64))
