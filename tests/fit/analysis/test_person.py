"""Who is in several photos: the product of what each says, and a liar among them."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.fit import PhotometricSettings
from morphface.fit.analysis.person import person_of, strangers


def start(mean, precision):
    parameters = SimpleNamespace(identity=torch.from_numpy(np.atleast_2d(mean).astype(np.float64)))
    known = None if precision is None else torch.from_numpy(np.array(precision))
    return SimpleNamespace(parameters=parameters, identity_precision=known)


def seen(truth, evidence):
    """The posterior of exact evidence of this precision, under the prior N(0, 1)."""
    precision = np.eye(len(truth)) + np.diag(evidence)
    return start(np.linalg.solve(precision, np.diag(evidence) @ truth), precision)


def test_one_photo_is_held_by_its_own_posterior():
    one = seen(np.array([1.0, -2.0]), np.array([3.0, 0.0]))
    person = person_of([one], 2.0)
    assert np.allclose(person.mean, one.parameters.identity[0])
    assert np.allclose(person.expected, person.mean)
    assert np.allclose(person.precision, 2 * one.identity_precision)


def test_two_photos_are_the_product_with_the_prior_counted_once():
    truth = np.array([1.0, -2.0])
    pair = [seen(truth, np.array([4.0, 1.0])), seen(truth, np.array([1.0, 9.0]))]
    person = person_of(pair, 1.0)
    evidence = np.array([5.0, 10.0])
    assert np.allclose(person.mean, evidence / (1 + evidence) * truth)
    assert np.allclose(person.precision, np.diag(1 + evidence))


def test_the_photo_that_knows_more_counts_more():
    sure, unsure = seen(np.array([1.0]), np.array([50.0])), seen(np.array([-1.0]), np.array([1.0]))
    assert person_of([sure, unsure], 1.0).mean[0] > 0.9


def test_a_photo_of_somebody_else_hardly_counts():
    own = [seen(np.array([1.0 + 0.1 * k, 0.5]), np.array([20.0, 20.0])) for k in range(-2, 3)]
    other = seen(np.array([-6.0, 7.0]), np.array([20.0, 20.0]))
    alone, among = person_of(own, 1.0).mean, person_of([*own, other], 1.0).mean
    everybody = np.mean([s.parameters.identity[0].numpy() for s in [*own, other]], axis=0)
    assert np.linalg.norm(among - alone) < 0.1 * np.linalg.norm(everybody - alone)


@pytest.mark.parametrize("precision", [None, [[5.0]]])
def test_without_trust_or_precision_the_prior_is_the_model_s(precision):
    person = person_of([start([2.0], precision)], 0.0 if precision else 1.0)
    assert np.allclose(person.mean, 2.0)
    assert np.allclose(person.expected, 0.0)
    assert np.allclose(person.precision, np.eye(1))


def test_a_photo_of_somebody_else_is_a_stranger():
    own = [seen(np.array([1.0 + 0.1 * k, 0.5]), np.array([20.0, 20.0])) for k in range(-2, 3)]
    other = seen(np.array([-6.0, 7.0]), np.array([20.0, 20.0]))
    assert strangers([*own[:2], other, *own[2:]]) == (False, False, True, False, False, False)


def test_photos_that_are_as_far_apart_as_their_doubt_have_no_stranger():
    rng = np.random.default_rng(0)
    own = [seen(rng.normal(1.0, 1.0, 30), np.full(30, 1.0)) for _ in range(5)]
    assert not any(strangers(own))


def test_of_two_photos_and_of_unknown_precision_nobody_is_a_stranger():
    a, b = seen(np.array([9.0]), np.array([50.0])), seen(np.array([-9.0]), np.array([50.0]))
    assert strangers([a, b]) == (False, False)
    assert strangers([a, a, start([-9.0], None)]) == (False, False, False)


@pytest.mark.refusal
def test_trust_that_is_negative_is_refused():
    with pytest.raises(ParameterError, match="identity_trust must not be negative, got -1"):
        PhotometricSettings(identity_trust=-1.0)


@pytest.mark.parametrize(("shared", "worth"), [(0.0, 4.0), (0.5, 1.6), (1.0, 1.0)])
def test_photos_with_the_same_errors_say_less_than_so_many_others(shared, worth):
    """Four numbers of which any two correlate by r have the information of 4 / (1 + 3 r)."""
    one = np.eye(1)
    person = person_of([start([0.0], 5 * one)] * 4, 1.0, shared)
    np.testing.assert_allclose(person.precision, one + worth * 4 * one)
    settings = PhotometricSettings(independent_patches=10.0, shared_errors=shared)
    assert settings.among(4).independent_patches * 4 == pytest.approx(10.0 * worth)
    assert settings.among(1) == settings
