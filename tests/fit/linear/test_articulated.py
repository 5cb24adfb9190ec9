from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.fit import fit_linear
from morphface.fit.shared.rows import landmark_rows
from tests.fit.synthetic import SIZE, scene
from tests.jointed import TURNS, articulated


@pytest.fixture(scope="module")
def jointed():
    return articulated().map(lambda t: t.float() if t.is_floating_point() else t)


def with_turns(model, **turns):
    expression = torch.zeros(1, model.expression.rank)
    for name, value in turns.items():
        expression[0, model.expression.names.index(name)] = value
    return expression


@pytest.mark.parametrize("seed", range(3))
def test_an_open_jaw_is_found_from_exact_landmarks(jointed, seed):
    turns = with_turns(jointed, jaw_pitch=-0.45, jaw_yaw=0.1)
    given = scene(jointed, seed, expression=turns)
    result = fit_linear(jointed, given.landmarks, size=SIZE, focal=900.0)
    assert result.converged
    torch.testing.assert_close(result.parameters.expression, turns, atol=2e-2, rtol=0)
    points = jointed.landmarks["toy"].points(
        jointed.vertices(result.parameters.identity, result.parameters.expression)
    )
    wanted = jointed.landmarks["toy"].points(given.vertices)
    assert (points - wanted).norm(dim=-1).mean() < 0.3
    torch.testing.assert_close(result.predicted, given.landmarks.points, atol=0.2, rtol=0)


@pytest.mark.parametrize("seed", range(2))
def test_the_open_jaw_of_a_known_person_is_found(jointed, seed):
    turns = with_turns(jointed, jaw_pitch=-0.45, jaw_yaw=0.1)
    given = scene(jointed, seed, expression=turns)
    known = given.parameters.identity[0]
    result = fit_linear(jointed, given.landmarks, size=SIZE, focal=900.0, identity=known)
    assert torch.equal(result.parameters.identity[0], known)
    torch.testing.assert_close(result.parameters.expression, turns, atol=2e-2, rtol=0)


def test_one_linearisation_alone_would_not_do(jointed):
    turns = with_turns(jointed, jaw_pitch=-0.45)
    given = scene(jointed, 0, expression=turns)
    plain = jointed.linearised(torch.zeros(5), torch.zeros(10))
    once = fit_linear(plain, given.landmarks, size=SIZE, focal=900.0)
    often = fit_linear(jointed, given.landmarks, size=SIZE, focal=900.0)
    error = [
        (jointed.vertices(r.parameters.identity, r.parameters.expression)[0] - given.vertices)
        .norm(dim=-1)
        .mean()
        for r in (once, often)
    ]
    assert error[1] < 0.2 * error[0]


def test_a_turn_of_the_neck_is_left_to_the_pose(jointed):
    rows = landmark_rows(jointed, "toy")
    held = np.array(rows.names)[(rows.lower == rows.upper)[rows.identity :]]
    assert set(held) == set(TURNS[:3])
    given, still = (
        scene(jointed, 1, expression=with_turns(jointed, neck_yaw=turn)) for turn in (0.3, 0.0)
    )
    result = fit_linear(jointed, given.landmarks, size=SIZE, focal=900.0)
    assert (result.parameters.expression[0, 4:7] == 0).all()
    moved = (given.landmarks.points - still.landmarks.points).norm(dim=-1)
    assert result.residuals.norm(dim=-1).max() < 0.02 * moved.median()


def test_holding_it_leaves_the_model_as_it_was(jointed):
    double = replace(articulated(), landmarks=jointed.landmarks)
    before = double.expression.bounds.clone()
    landmark_rows(double, "toy")
    torch.testing.assert_close(double.expression.bounds, before)
