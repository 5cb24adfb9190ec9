import numpy as np
import pytest

from benchmarks.matching import (
    cosine_distances,
    equal_error_rate,
    rank_one,
    rms_rigid,
    within_distances,
)
from benchmarks.surfaces import brought_together

TWO_EACH = np.array([0, 0, 1, 1])


def distances_on_a_line(places):
    return np.abs(np.subtract.outer(places, places)).astype(float)


def test_people_far_apart_are_all_recognised():
    distances = distances_on_a_line([0, 1, 10, 11])
    assert rank_one(distances, TWO_EACH) == 1.0
    assert equal_error_rate(distances, TWO_EACH) == 0.0


def test_one_of_four_finds_a_stranger():
    # From 0 and 1 each other is nearest, from 4 it is 1, from 10 it is 4.
    distances = distances_on_a_line([0, 1, 4, 10])
    assert rank_one(distances, TWO_EACH) == 0.75
    # Same: 1, 6; strangers: 3, 4, 9, 10. Any threshold from 4 to 6 errs half the time in both.
    assert equal_error_rate(distances, TWO_EACH) == pytest.approx(0.5)


def test_noise_is_right_half_of_the_time():
    rng = np.random.default_rng(0)
    noise = rng.uniform(size=(400, 400))
    noise = noise + noise.T
    assert equal_error_rate(noise, np.arange(400) // 4) == pytest.approx(0.5, abs=0.03)


def test_cosine_ignores_the_length():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(5, 8))
    grown = rows * np.arange(1, 6)[:, None]
    np.testing.assert_allclose(cosine_distances(grown), cosine_distances(rows), atol=1e-12)


@pytest.mark.parametrize("scaled", [False, True])
def test_shapes_are_as_far_apart_as_an_explicit_alignment_says(scaled):
    rng = np.random.default_rng(0)
    shapes = rng.normal(size=(4, 30, 3)) * [3, 2, 1]
    if scaled:
        shapes -= shapes.mean(axis=1, keepdims=True)
        shapes /= np.sqrt(np.square(shapes).sum(axis=(1, 2), keepdims=True) / 30)
    expected = np.zeros((4, 4))
    for i, one in enumerate(shapes):
        for j, other in enumerate(shapes):
            moved = brought_together(one, other, scaled=False).apply(one)
            expected[i, j] = np.sqrt(np.square(moved - other).sum(1).mean())
    np.testing.assert_allclose(rms_rigid(shapes, scaled=scaled), expected, atol=1e-6)


def test_a_moved_shape_is_the_same_and_a_mirrored_one_is_not():
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(30, 3))
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    shapes = np.stack([shape, 5 + shape @ quarter.T, shape * [-1, 1, 1]])
    found = rms_rigid(shapes)
    assert found[0, 1] < 1e-6
    assert found[0, 2] > 0.1


def test_what_differs_between_pictures_of_a_person_counts_little():
    random = np.random.default_rng(3)
    people = np.repeat(np.arange(30), 4)
    described = random.normal(size=(30, 12))[people]
    described = described + 0.1 * random.normal(size=(120, 12))
    described[:, :3] += 3 * random.normal(size=(120, 3))  # as an expression would
    assert rank_one(cosine_distances(described), people) < 0.5
    assert rank_one(within_distances(described, people), people) > 0.9


def test_a_metric_knows_nothing_of_who_is_asked_about():
    random = np.random.default_rng(4)
    people = np.repeat(np.arange(20), 4)
    described = random.normal(size=(80, 6))
    first = within_distances(described, people)
    mixed = described.copy()
    mixed[people == 0] = random.normal(size=(4, 6))
    same = within_distances(mixed, people)
    assert np.allclose(
        first[np.ix_(people == 10, people != 0)], same[np.ix_(people == 10, people != 0)]
    )
    assert not np.allclose(first[people == 1][:, people == 2], same[people == 1][:, people == 2])
