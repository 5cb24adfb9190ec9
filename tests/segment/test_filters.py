import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from morphface.segment.filters import (
    blurred,
    distance,
    foreground,
    grown,
    guided,
    mean_near,
    widened,
)


def test_a_guide_without_edges_smooths_and_one_with_edges_keeps_them():
    step = np.zeros((40, 40), np.float32)
    step[:, 20:] = 1
    noisy = step + 0.1 * np.random.default_rng(0).standard_normal(step.shape).astype(np.float32)
    flat = guided(np.full_like(step, 0.5), step, 4)
    kept = guided(step, noisy, 4)
    assert abs(flat[20, 20] - 0.5) < 0.2
    assert kept[20, 19] < 0.15
    assert kept[20, 20] > 0.85
    assert np.abs(kept - step).mean() < 0.5 * np.abs(noisy - step).mean()


def test_a_weighted_mean_knows_nothing_of_what_has_no_weight():
    values = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
    weight = np.zeros((20, 20), np.float32)
    weight[:, :10] = 1
    values[:, :10] = 0.25
    mean, known = mean_near(values, weight, 3.0)
    np.testing.assert_allclose(mean[known > 1e-3], 0.25, atol=2e-3)


def test_the_colour_of_the_front_is_found_where_it_is_mixed():
    x = np.linspace(0, 1, 60, dtype=np.float32)
    matte = np.broadcast_to(np.clip((x - 0.4) / 0.2, 0, 1), (40, 60)).copy()
    front = np.float32([0.8, 0.5, 0.3]) * np.ones((40, 60, 3), np.float32)
    back = np.float32([0.1, 0.3, 0.7])
    mixed = front * matte[..., None] + back * (1 - matte[..., None])
    found = foreground(mixed, matte, 10.0)
    inside = matte > 0.3
    error, before = (np.abs(picture - front)[inside].max() for picture in (found, mixed))
    assert error < 0.15
    assert error < 0.3 * before
    assert np.array_equal(found[matte > 0.995], mixed[matte > 0.995])


def test_a_wide_picture_is_blurred_channel_by_channel():
    many = np.random.default_rng(1).random((16, 16, 6)).astype(np.float32)
    np.testing.assert_allclose(blurred(many, 2.0)[..., 5], blurred(many[..., 5], 2.0), atol=1e-6)


def test_a_blur_may_be_wider_across_than_down():
    picture = np.zeros((150, 200), np.float32)
    picture[60:90, 80:120] = 1
    inner = slice(50, -50), slice(50, -50)
    for across, down in ((6.0, 1.5), (24.0, 12.0), (24.0, 2.0)):
        want = gaussian_filter(picture, (down, across), mode="nearest")
        np.testing.assert_allclose(blurred(picture, (across, down))[inner], want[inner], atol=0.03)


def test_a_mask_grows_as_far_as_it_is_told():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert widened(mask, 2).sum() == 25


def test_a_wide_blur_is_that_of_all_pixels():
    values = np.random.default_rng(2).random((120, 150)).astype(np.float32)
    values[40:80, 50:90] += 2
    want = gaussian_filter(values, 17.0, mode="nearest")
    inner = slice(50, -50), slice(50, -50)  # a border that goes on is that of other pixels
    np.testing.assert_allclose(blurred(values, 17.0)[inner], want[inner], atol=0.03)


def test_distances_are_euclidean():
    mask = np.random.default_rng(3).random((40, 50)) > 0.02
    np.testing.assert_allclose(distance(mask), distance_transform_edt(mask), atol=1e-3)


def test_values_grow_beyond_a_mask_and_stay_within_it():
    values = np.random.default_rng(4).random((12, 12, 2)).astype(np.float32)
    mask = np.zeros((12, 12), np.float32)
    mask[4:8, 4:8] = 1
    found = grown(values, mask, 2)
    assert np.array_equal(found[4:8, 4:8], values[4:8, 4:8])
    np.testing.assert_allclose(found[3, 3], values[4, 4], rtol=1e-5)
    np.testing.assert_allclose(found[3, 5], values[4, 4:7].mean(0), rtol=1e-5)
