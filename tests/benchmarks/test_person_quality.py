import numpy as np
import pytest

from benchmarks.bench_person_quality import Judged, calibrate, crossed, judged, within_clips
from morphface.fit.verdict import PersonMeasures


def test_each_person_counts_as_one():
    found = Judged(np.array([0.5, 0.9]), np.array([0.5, 1.0]))
    assert found.bins() == [[0.5, 0.5, 1.0], [0.9, 1.0, 1.0]]
    assert found.error() == pytest.approx(0.05)
    assert (found.precision(0.7), found.recall(0.7)) == pytest.approx((1.0, 1 / 1.5))
    assert found.skill(0.75) == pytest.approx(1 - (0.1**2 / 2) / 0.25**2)
    assert found.area() == 1.0


def test_a_constant_has_no_skill_and_tells_nobody_apart():
    found = Judged(np.full(4, 0.75), np.array([1.0, 1.0, 1.0, 0.0]))
    assert found.error() == pytest.approx(0.0)
    assert found.skill(0.75) == pytest.approx(0.0)
    assert found.area() == pytest.approx(0.5)
    assert found.precision(0.7) == pytest.approx(0.75)


def test_true_numbers_err_as_much_as_they_are_said_to():
    rng = np.random.default_rng(1)
    quality = rng.uniform(0.05, 0.95, 4000)
    found = Judged(quality, (rng.random(4000) < quality).astype(float))
    assert found.error_if_true() == pytest.approx(found.error(), abs=0.01)
    assert found.error_if_true() < 0.02
    few = Judged(quality[:60], found.right[:60])
    assert few.error_if_true() > 0.03
    assert few.interval(Judged.error)[1] > few.error()


def people(count):
    """Such that clear landmarks are right, and nothing else matters."""
    rng = np.random.default_rng(0)
    usual = rng.uniform(0.01, 0.04, count)
    others = rng.random((count, 2))
    return [
        {"number": k, "right": float(usual[k] < 0.02), "known": PersonMeasures(usual[k], *other)}
        for k, other in enumerate(others.tolist())
    ]


def test_weights_tell_what_is_right_and_nothing_speaks_for_being_worse():
    rows = people(300)
    weights = calibrate(rows)
    assert weights["usual"] < -2
    assert max(weights["blind"], weights["lost"]) <= 0
    found = judged(rows, weights)
    assert found.area() > 0.98
    halves = crossed(rows)
    assert halves.area() > 0.97
    assert halves.people == 300


def test_shares_that_are_as_they_are_said_give_the_weights_that_said_them():
    rows, weights = people(300), {"": 1.0, "usual": -1.0, "blind": -2.0, "lost": -3.0}
    said = judged(rows, weights).quality
    assert 0.2 <= said.min() < 0.25
    for row, one in zip(rows, said.tolist(), strict=True):
        row["right"] = one
    assert calibrate(rows) == pytest.approx(weights, rel=0.02)


def test_frames_are_compared_with_those_of_their_own_clip():
    told = {"frames": [(True, 0.01), (False, 0.02)]}
    untold = {"frames": [(True, 0.03), (False, 0.02), (True, float("nan"))]}
    assert within_clips([told]) == 1.0
    assert within_clips([told, untold]) == 0.5
