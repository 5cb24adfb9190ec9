import pytest
import torch

from morphface.core.errors import ShapeError
from morphface.generate.networks.warp import halved_flow, warped
from morphface.render import warp_by_flow


@pytest.fixture
def picture(rng):
    return torch.rand(2, 3, 12, 16, generator=rng)


def constant(x, y, size=(12, 16)):
    return torch.tensor([x, y]).reshape(1, 2, 1, 1).expand(2, 2, *size)


def test_no_flow_changes_nothing(picture):
    torch.testing.assert_close(warped(picture, constant(0.0, 0.0)), picture)


def test_whole_pixels_move_whole_pixels(picture):
    moved = warped(picture, constant(3.0, -2.0))
    torch.testing.assert_close(moved[..., 2:, :-3], picture[..., :-2, 3:])
    torch.testing.assert_close(moved[..., -1], picture[..., [0, 0, *range(10)], -1])


def test_half_a_pixel_is_the_mean_of_two(picture):
    moved = warped(picture, constant(0.5, 0.0))
    torch.testing.assert_close(moved[..., :-1], (picture[..., :-1] + picture[..., 1:]) / 2)


def test_the_renderer_warps_the_same(picture, rng):
    flow = torch.randn(2, 2, 12, 16, generator=rng) * 5
    there = warp_by_flow(picture.permute(0, 2, 3, 1), flow.permute(0, 2, 3, 1))
    torch.testing.assert_close(warped(picture, flow), there.permute(0, 3, 1, 2))


def test_a_halved_flow_moves_the_halved_picture(picture):
    moved = warped(picture, constant(4.0, 2.0))
    small = torch.nn.functional.avg_pool2d(picture, 2)
    there = warped(small, halved_flow(constant(4.0, 2.0)))
    inner = (..., slice(0, 4), slice(0, 5))
    torch.testing.assert_close(there[inner], torch.nn.functional.avg_pool2d(moved, 2)[inner])


def test_positions_stay_in_full_precision_under_autocast():
    ramp = torch.arange(256.0).expand(1, 1, 256, 256) / 256
    flow = torch.full((1, 2, 256, 256), 0.3)
    with torch.autocast("cpu", torch.bfloat16):
        moved = warped(ramp, flow)
        assert halved_flow(flow).dtype == torch.float32
    torch.testing.assert_close(moved[..., :-1], ramp[..., :-1] + 0.3 / 256, rtol=0, atol=1e-5)


@pytest.mark.refusal
def test_a_flow_of_another_size_is_refused(picture):
    with pytest.raises(ShapeError, match=r"flow must have shape \(..., 2, 2, 12, 16\)"):
        warped(picture, torch.zeros(2, 2, 12, 12))
