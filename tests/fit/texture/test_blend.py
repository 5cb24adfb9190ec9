import torch

from morphface.fit.texture.blend import blended, from_log, to_log
from morphface.fit.texture.photo import Delit

POINTS = 400
GUIDE = to_log(torch.full((POINTS, 3), 0.5))


def seen(colours, trust=1.0):
    sure = torch.full((POINTS,), trust) if isinstance(trust, float) else trust
    return Delit(colours, sure, sure)


def truth(rng):
    return torch.rand(POINTS, 3, generator=rng) * 0.6 + 0.2


def test_logarithms_return_the_colours(rng):
    colours = torch.rand(20, 3, generator=rng)
    torch.testing.assert_close(from_log(to_log(colours)), colours)


def test_one_photo_is_taken_as_it_is(rng):
    colours = truth(rng)
    values, trust, factors = blended([seen(colours, 0.7)], GUIDE)
    torch.testing.assert_close(from_log(values), colours)
    assert (trust == 0.7).all()
    assert (factors == 1).all()


def test_noise_shrinks_with_every_photo(rng):
    colours = truth(rng)
    noisy = [seen(colours * (1 + 0.04 * torch.randn(POINTS, 3, generator=rng))) for _ in range(5)]
    error = [(from_log(blended(noisy[:n], GUIDE)[0]) - colours).abs().mean() for n in (1, 3, 5)]
    assert error[2] < error[1] < 0.8 * error[0]


def test_the_majority_decides(rng):
    colours = truth(rng)
    wrong = colours.clone()
    wrong[:150] = torch.tensor([0.9, 0.1, 0.9])
    values, trust, _ = blended([seen(colours), seen(wrong), seen(colours)], GUIDE)
    error = (from_log(values) - colours).abs().amax(-1)
    assert error.max() < 0.02
    assert trust[:150].mean() < 0.9 * trust[150:].mean()


def test_of_two_that_disagree_the_one_like_the_model_counts_more():
    usual, odd = torch.full((POINTS, 3), 0.5), torch.full((POINTS, 3), 0.5)
    odd[:50] = 0.1
    values, trust, _ = blended([seen(odd), seen(usual)], GUIDE)
    assert (from_log(values)[:50] - 0.5).abs().max() < 0.02
    assert (trust[:50] < trust[50:].min()).all()


def test_factors_between_photos_are_found_and_their_median_is_one(rng):
    colours, factor = truth(rng), torch.tensor([0.7, 0.8, 0.6])
    photos = [seen(colours), seen(colours * factor), seen(colours * 1.2)]
    values, _, factors = blended(photos, GUIDE)
    torch.testing.assert_close(factors.quantile(0.5, dim=0), torch.ones(3))
    torch.testing.assert_close(factors[1] / factors[0], factor, atol=0.05, rtol=0)
    assert (from_log(values) - colours).abs().max() < 0.05


def test_photos_of_different_sides_are_compared_with_the_model():
    left, right = torch.zeros(POINTS), torch.zeros(POINTS)
    left[:200], right[200:] = 1.0, 1.0
    bright, dim = torch.full((POINTS, 3), 0.6), torch.full((POINTS, 3), 0.4)
    values, _, factors = blended([seen(bright, left), seen(dim, right)], GUIDE)
    torch.testing.assert_close(factors[0] / factors[1], torch.full((3,), 1.5), atol=0.05, rtol=0)
    assert (values[:200].mean() - values[200:].mean()).abs() < 0.01
