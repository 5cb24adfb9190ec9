"""The quality of people in tracks."""

import math

import pytest
import torch

from morphface.fit.verdict import PersonMeasures, person_quality
from morphface.fit.verdict.people import (
    LEAST_SAID,
    PERSON_WEIGHTS,
    lost_nearby,
    person_features,
)

CLEAR = PersonMeasures(usual=0.012, blind=0.0, lost=0.0)


def test_quality_is_a_least_and_the_logistic_function_of_weighted_features():
    one = PersonMeasures(usual=0.03, blind=0.25, lost=0.5)
    assert person_features(one) == pytest.approx({"usual": math.log(2), "blind": 0.25, "lost": 0.5})
    weights = {"": 0.3, "usual": -1.0, "blind": -2.0, "lost": -4.0}
    odds = math.exp(0.3 - math.log(2) - 0.5 - 2.0)
    assert person_quality(one, weights) == pytest.approx(0.2 + 0.8 * odds / (1 + odds))


@pytest.mark.parametrize("worse", [{"usual": 0.05}, {"blind": 0.5}, {"lost": 0.3}])
def test_nothing_speaks_for_a_person_by_being_worse(worse):
    found = person_quality(PersonMeasures(**(CLEAR.record() | worse)))
    assert LEAST_SAID < found < person_quality(CLEAR) < 1
    assert set(PERSON_WEIGHTS) == {"", *CLEAR.record()}


def test_of_the_worst_person_a_fifth_is_right():
    worst = PersonMeasures(usual=9.0, blind=1.0, lost=0.95)
    assert person_quality(worst) == pytest.approx(LEAST_SAID, abs=0.01)
    assert LEAST_SAID == 0.2


def around(lost, times, shots):
    """As it is said: one frame after the other."""
    shares = []
    for k in range(len(lost)):
        if not lost[k]:
            near = [
                lost[other]
                for other in range(len(lost))
                if abs(times[other] - times[k]) <= 0.5 and shots[other] == shots[k]
            ]
            shares.append(sum(near) / len(near))
    return sum(shares) / len(shares)


def test_what_is_lost_nearby_is_what_counting_finds():
    rng = torch.Generator().manual_seed(0)
    for rate in (11, 25, 59.94):
        times = torch.arange(200).double() / rate
        shots = (torch.rand(200, generator=rng) > 0.97).long().cumsum(0)
        lost = torch.rand(200, generator=rng) > 0.7
        wanted = around(lost.tolist(), times.tolist(), shots.tolist())
        assert lost_nearby(lost, times, shots) == pytest.approx(wanted, abs=1e-6)


def test_a_loss_far_away_or_in_another_shot_says_nothing():
    times, one = torch.arange(100).double() / 25, torch.zeros(100, dtype=torch.long)
    gone = torch.arange(100) >= 50
    assert lost_nearby(gone, times, one) == pytest.approx(sum(k / 25 for k in range(1, 13)) / 50)
    assert lost_nearby(gone, times, gone.long()) == 0.0
    assert lost_nearby(torch.zeros(100, dtype=torch.bool), times, one) == 0.0
    assert math.isnan(lost_nearby(torch.ones(100, dtype=torch.bool), times, one))
