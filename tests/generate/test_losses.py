import math

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate.losses import (
    ADVERSARIAL,
    discriminator_loss,
    feature_matching,
    generator_loss,
    perceptual,
    temporal,
)


def test_vanilla_is_the_cross_entropy_of_sigmoids():
    real, made = torch.randn(2, 1, 5, 5), torch.randn(2, 1, 5, 5)
    expected = -(torch.sigmoid(real).log().mean() + (1 - torch.sigmoid(made)).log().mean())
    torch.testing.assert_close(discriminator_loss(real, made), expected)
    torch.testing.assert_close(generator_loss(made), -torch.sigmoid(made).log().mean())


def test_an_undecided_discriminator_has_known_losses():
    zero = torch.zeros(1, 1, 4, 4)
    expected = {"vanilla": 2 * math.log(2), "least_squares": 1.0, "hinge": 2.0}
    for kind, value in expected.items():
        assert discriminator_loss(zero, zero, kind).item() == pytest.approx(value)


@pytest.mark.parametrize("kind", ADVERSARIAL)
def test_each_side_gains_from_what_it_wants(kind):
    low, high = torch.full((1, 1, 4, 4), -0.5), torch.full((1, 1, 4, 4), 0.5)
    assert generator_loss(high, kind) < generator_loss(low, kind)
    assert discriminator_loss(high, low, kind) < discriminator_loss(low, high, kind)


def test_a_confident_hinge_has_no_loss_left():
    assert discriminator_loss(torch.tensor([2.0]), torch.tensor([-2.0]), "hinge").item() == 0


def test_feature_matching_leaves_out_the_logits_and_the_real_gradient():
    real = [torch.randn(2, 4, requires_grad=True), torch.randn(2, 1)]
    made = [torch.randn(2, 4, requires_grad=True), torch.randn(2, 1)]
    loss = feature_matching(real, made)
    torch.testing.assert_close(loss, (made[0] - real[0]).abs().mean())
    loss.backward()
    assert real[0].grad is None
    assert made[0].grad is not None


def test_steady_frames_have_no_temporal_loss_whatever_they_show():
    made, real = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
    assert temporal(made, made, real, real).item() == 0
    assert temporal(made + 0.1, made, real, real).item() == pytest.approx(0.1, rel=1e-4)


def test_coarse_features_weigh_most_in_the_perceptual_term():
    real = [torch.zeros(1, 2, 4, 4, requires_grad=True) for _ in range(5)]
    for layer, weight in enumerate((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)):
        made = [torch.full((1, 2, 4, 4), 3.0 * (k == layer)) for k in range(5)]
        assert perceptual(real, made).item() == pytest.approx(3 * weight)
    made = [torch.rand(1, 2, 4, 4, requires_grad=True) for _ in range(5)]
    perceptual(real, made).backward()
    assert all(feature.grad is None for feature in real)
    assert all(bool((feature.grad != 0).all()) for feature in made)


@pytest.mark.refusal
def test_the_perceptual_term_needs_all_layers():
    with pytest.raises(ParameterError, match="must have the same layers, 1 or more, got 5 and 4"):
        perceptual([torch.zeros(1)] * 5, [torch.zeros(1)] * 4)


@pytest.mark.refusal
def test_an_unknown_loss_is_refused():
    with pytest.raises(ParameterError, match="kind must be one of vanilla, least_squares, hinge"):
        generator_loss(torch.zeros(1), "wasserstein")


@pytest.mark.refusal
def test_features_of_different_networks_are_refused():
    with pytest.raises(ParameterError, match="the same layers, 2 or more, got 1 and 2"):
        feature_matching([torch.zeros(1)], [torch.zeros(1)] * 2)


@pytest.mark.refusal
def test_frames_of_different_size_have_no_temporal_loss():
    with pytest.raises(ShapeError, match="real must have shape"):
        temporal(*[torch.zeros(1, 3, 8, 8)] * 2, *[torch.zeros(1, 3, 4, 4)] * 2)
