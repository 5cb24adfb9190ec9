import numpy as np

from morphface.segment.filters import blurred, foreground, guided, mean_near, widened


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


def test_a_mask_grows_as_far_as_it_is_told():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert widened(mask, 2).sum() == 25
