import math

import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.evaluate import apd_pixel, l1, psnr, ssim


@pytest.fixture
def pair():
    rng = torch.Generator().manual_seed(3)
    first = torch.rand(2, 24, 30, 3, generator=rng)
    return first, (first + 0.1 * torch.randn(first.shape, generator=rng)).clamp(0, 1)


def test_equal_pictures_have_no_distance(pair):
    first, _ = pair
    assert l1(first, first).tolist() == [0, 0]
    assert apd_pixel(first, first).tolist() == [0, 0]
    assert psnr(first, first).tolist() == [math.inf, math.inf]
    torch.testing.assert_close(ssim(first, first), torch.ones(2))


def test_an_even_shift_has_closed_forms():
    grey = torch.full((1, 16, 16, 3), 0.4)
    shifted = grey + 0.1
    assert l1(shifted, grey).item() == pytest.approx(25.5, rel=1e-5)
    assert apd_pixel(shifted, grey).item() == pytest.approx(25.5 * math.sqrt(3), rel=1e-5)
    assert psnr(shifted, grey).item() == pytest.approx(20.0, rel=1e-5)
    expected = (2 * 0.4 * 0.5 + 1e-4) / (0.4**2 + 0.5**2 + 1e-4)
    assert ssim(shifted, grey).item() == pytest.approx(expected, rel=1e-4)


def test_ssim_is_that_of_scikit_image(pair):
    metrics = pytest.importorskip("skimage.metrics", reason="scikit-image is not installed")
    one, other = (some[0].double().numpy() for some in pair)
    expected = metrics.structural_similarity(
        one,
        other,
        channel_axis=-1,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert ssim(*(some[:1].double() for some in pair)).item() == pytest.approx(expected, abs=1e-6)


def test_a_mask_leaves_out_what_it_hides(pair):
    first, second = pair
    spoiled = second.clone()
    spoiled[:, :12] = 0
    mask = torch.zeros(2, 24, 30)
    mask[:, 12:] = 1
    for measure in (l1, psnr, apd_pixel):
        whole = measure(first[:, 12:], second[:, 12:])
        torch.testing.assert_close(measure(first, spoiled, mask), whole)
    far = torch.zeros(2, 24, 30)
    far[:, 18:] = 1  # windows about these rows do not reach the spoiled ones
    torch.testing.assert_close(ssim(first, spoiled, far), ssim(first, second, far))


def test_measures_do_not_depend_on_the_order_but_for_the_sign(pair):
    for measure in (l1, psnr, apd_pixel, ssim):
        torch.testing.assert_close(measure(*pair), measure(*reversed(pair)))


def test_more_noise_is_worse():
    rng = np.random.default_rng(0)
    clean = torch.from_numpy(rng.random((1, 32, 32, 3))).float()
    noise = torch.from_numpy(rng.standard_normal((1, 32, 32, 3))).float()
    levels = [clean + level * noise for level in (0.02, 0.05, 0.1)]
    assert sorted(psnr(some, clean).item() for some in levels)[::-1] == [
        psnr(some, clean).item() for some in levels
    ]
    assert ssim(levels[0], clean) > ssim(levels[1], clean) > ssim(levels[2], clean)


@pytest.mark.refusal
def test_pictures_of_different_size_are_refused(pair):
    with pytest.raises(ShapeError, match="reference must have shape"):
        psnr(pair[0], pair[1][:, :20])


@pytest.mark.refusal
def test_a_picture_below_the_window_has_no_ssim():
    small = torch.zeros(1, 10, 20, 3)
    with pytest.raises(ShapeError, match="at least 11 x 11 pixels for SSIM"):
        ssim(small, small)


@pytest.mark.refusal
def test_an_empty_mask_is_refused(pair):
    with pytest.raises(ParameterError, match="mask must have a pixel that counts"):
        l1(*pair, torch.zeros(2, 24, 30))
