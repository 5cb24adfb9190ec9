import math

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.evaluate import Score, akd, jitter, psnr, warping_error
from morphface.evaluate.motion import MEASURES


def test_even_motion_does_not_jitter():
    start, step = torch.rand(68, 2), torch.rand(68, 2)
    points = start + torch.arange(6.0)[:, None, None] * step
    torch.testing.assert_close(jitter(points), torch.zeros(4), atol=1e-5, rtol=0)


def test_shaking_by_one_pixel_jitters_by_four():
    points = torch.tensor([1.0, -1.0] * 3)[:, None, None].expand(6, 68, 2)
    torch.testing.assert_close(jitter(points), torch.full((4,), 4.0))


def test_landmark_distance_is_told_for_256_pixels():
    points = torch.rand(2, 68, 2) * 500
    moved = points + torch.tensor([3.0, 4.0])
    torch.testing.assert_close(akd(moved, points, side=512), torch.full((2,), 2.5))


def test_a_picture_that_moves_as_told_has_no_warping_error():
    rng = torch.Generator().manual_seed(0)
    wide = torch.rand(12, 20, 3, generator=rng)
    frames = torch.stack([wide[:, 2:16], wide[:, 1:15]])  # all moves one pixel to the right
    flow = torch.tensor([-1.0, 0.0]).expand(1, 12, 14, 2)
    visible = torch.ones(1, 12, 14, dtype=torch.bool)
    assert warping_error(frames, flow, visible).item() < 1e-3
    assert warping_error(frames, torch.zeros_like(flow), visible).item() > 30


def test_nothing_visible_has_no_warping_error():
    frames = torch.rand(2, 4, 4, 3)
    nothing = torch.zeros(1, 4, 4, dtype=torch.bool)
    score = MEASURES["warping_error"].of(warping_error(frames, torch.zeros(1, 4, 4, 2), nothing))
    assert score.missing == 1
    assert "1 of 1 missing" in str(score)


def test_a_score_says_its_convention():
    score = MEASURES["jitter"].of(torch.tensor([1.0, 3.0, float("nan")]))
    assert score.mean == 2
    assert str(score).startswith("jitter 2 pixels (lower is better; mean absolute second")


def test_equal_frames_are_counted_and_leave_the_mean_of_the_others_alone():
    some = Score(psnr, torch.tensor([20.0, math.inf, 40.0, math.nan]))
    assert (some.mean, some.infinite, some.missing) == (30, 1, 1)
    assert some.remark == "1 of 4 missing, 1 of 4 equal"
    assert Score(psnr, torch.full((2,), math.inf)).mean == math.inf
    assert math.isnan(Score(psnr, torch.full((2,), math.nan)).mean)


@pytest.mark.refusal
def test_two_frames_are_too_few_for_jitter():
    with pytest.raises(ParameterError, match="at least 3 frames, got 2"):
        jitter(torch.zeros(2, 68, 2))


@pytest.mark.refusal
def test_a_picture_has_a_side():
    with pytest.raises(ParameterError, match="side must be positive, got 0"):
        akd(torch.zeros(1, 5, 2), torch.zeros(1, 5, 2), side=0)


@pytest.mark.refusal
def test_flow_needs_a_row_for_each_pair():
    with pytest.raises(ShapeError, match="flow must have shape"):
        warping_error(torch.rand(3, 4, 4, 3), torch.zeros(1, 4, 4, 2), torch.ones(1, 4, 4) > 0)
