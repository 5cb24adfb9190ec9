import pytest
import torch

from morphface.core.errors import ShapeError
from morphface.render.warp import centres, enlarged, look_up, settled, warp_picture


def smooth_picture(height=24, width=32):
    y, x = centres(height, width, torch.zeros(1)).flip(-1).unbind(-1)
    return torch.stack([(x / 5).sin(), (y / 6).cos(), (x * y / 90).sin()], dim=-1)[None] / 3 + 0.5


def test_a_flow_of_zero_returns_the_picture_bit_by_bit():
    picture = torch.rand(2, 17, 23, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(warp_picture(picture, torch.zeros(2, 17, 23, 2)), picture)


@pytest.mark.parametrize("shift", [(3, 0), (0, -2), (-4, 5)])
def test_an_integer_flow_is_a_roll_away_from_the_borders(shift):
    picture = torch.rand(1, 20, 26, 3, generator=torch.Generator().manual_seed(1))
    flow = torch.tensor(shift, dtype=torch.float32).expand(1, 20, 26, 2)
    rolled = picture.roll((-shift[1], -shift[0]), dims=(1, 2))
    inner = (slice(None), slice(6, -6), slice(6, -6))
    torch.testing.assert_close(warp_picture(picture, flow)[inner], rolled[inner], atol=1e-5, rtol=0)


def test_beyond_the_border_the_picture_goes_on():
    picture = smooth_picture()
    flow = torch.tensor([-1000.0, 0.0]).expand(1, 24, 32, 2)
    found = warp_picture(picture, flow)
    torch.testing.assert_close(found, picture[:, :, :1].expand_as(found), atol=1e-5, rtol=0)


def test_half_a_pixel_of_a_smooth_picture_is_nearer_than_bilinear():
    wide, shift = smooth_picture(24, 33), torch.tensor([0.5, 0.0]).expand(1, 24, 32, 2)
    y, x = centres(24, 32, wide).flip(-1).unbind(-1)
    x = x + 0.5
    truth = torch.stack([(x / 5).sin(), (y / 6).cos(), (x * y / 90).sin()], dim=-1)[None] / 3 + 0.5
    inner = (slice(None), slice(3, -3), slice(3, -3))
    place = centres(24, 32, wide)[None] + shift
    cubic = (look_up(wide, place) - truth)[inner].abs().max()
    linear = (look_up(wide, place, "bilinear") - truth)[inner].abs().max()
    assert cubic < 0.6 * linear


def test_gradients_are_those_of_finite_differences():
    rng = torch.Generator().manual_seed(2)
    picture = torch.rand(1, 6, 7, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    flow = torch.rand(1, 6, 7, 2, generator=rng, dtype=torch.float64) * 0.8 + 0.05
    flow.requires_grad_()
    assert torch.autograd.gradcheck(warp_picture, (picture, flow))


def test_rounding_is_no_motion():
    flow = torch.tensor([[1e-3, -1e-3], [0.1, 0.0]])
    assert torch.equal(settled(flow), torch.tensor([[0.0, 0.0], [0.1, 0.0]]))


def test_enlarging_a_plane_keeps_its_slope_and_strips_are_rows_of_the_whole():
    coarse = centres(8, 10, torch.zeros(1))
    whole = enlarged(coarse, (24, 30))
    inner = (slice(3, -3), slice(3, -3))
    torch.testing.assert_close(whole[inner] * 3, centres(24, 30, coarse)[inner])
    torch.testing.assert_close(enlarged(coarse, (24, 30), (5, 11)), whole[5:11])
    assert torch.equal(enlarged(coarse, (8, 10)), coarse)


@pytest.mark.parametrize("size", [(31, 50), (9, 7)])
def test_what_is_enlarged_is_the_same_with_and_without_gradients(size):
    coarse = torch.rand(12, 17, 5, generator=torch.Generator().manual_seed(1))
    for rows in (None, (0, 4), (3, size[0])):
        found = enlarged(coarse, size, rows)
        want = enlarged(coarse.clone().requires_grad_(), size, rows)
        torch.testing.assert_close(found, want.detach(), atol=3e-5, rtol=0)


@pytest.mark.refusal
def test_batches_that_do_not_pair_are_refused():
    with pytest.raises(ShapeError, match="as many frames, or one of them a single one, got 2 and"):
        warp_picture(torch.zeros(2, 4, 4, 3), torch.zeros(3, 4, 4, 2))
