import math
from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.evaluate import aed_expression, apd_pose, ard, dai, gaze_error, geodesic
from morphface.geometry.angles import angles_to_rotvec
from morphface.parameters import FaceParameters

STILL = FaceParameters.neutral(identity=5, expression=4, reflectance=3, frames=2)


def posed(*degrees):
    turn = angles_to_rotvec(torch.deg2rad(torch.tensor([degrees])))
    return replace(STILL[0], rotation=turn.float())


def test_a_sequence_agrees_with_itself():
    for measure in (aed_expression, ard, geodesic, gaze_error, dai):
        assert float(measure(STILL, STILL).abs().max()) < 1e-4


def test_angles_wrap_around():
    assert ard(posed(179.0, 0, 0), posed(-179.0, 0, 0)).item() == pytest.approx(2 / 3, abs=1e-3)


def test_the_geodesic_angle_does_not_depend_on_the_axis():
    for turn in ((30.0, 0, 0), (0, 30.0, 0), (0, 0, 30.0)):
        assert geodesic(posed(*turn), posed(0, 0, 0)).item() == pytest.approx(30, abs=1e-3)
        assert ard(posed(*turn), posed(0, 0, 0)).item() == pytest.approx(10, abs=1e-3)


def test_poses_are_compared_in_radians_by_one_measure_and_in_degrees_by_the_other():
    turned = posed(30.0, 0, 0), posed(0, 0, 0)
    assert apd_pose(*turned).item() == pytest.approx(math.radians(10), abs=1e-5)
    assert (apd_pose.unit, ard.unit) == ("rad", "degrees")


def test_expression_differences_are_averaged():
    other = replace(STILL, expression=torch.tensor([[0.4, 0, 0, 0], [0.4, 0.4, 0, 0]]))
    torch.testing.assert_close(aed_expression(other, STILL), torch.tensor([0.1, 0.2]))


def test_one_eye_that_looks_away_counts_half():
    other = STILL.gaze.clone()
    other[:, 0, 0] = torch.deg2rad(torch.tensor(10.0))
    found = gaze_error(replace(STILL, gaze=other), STILL)
    torch.testing.assert_close(found, torch.full((2,), 5.0))


def test_identities_are_summed():
    other = replace(STILL, identity=torch.tensor([[1.0, -2, 0, 0, 0]]))
    assert dai(other, STILL).item() == pytest.approx(3)


@pytest.mark.refusal
def test_sequences_of_different_length_are_refused():
    with pytest.raises(ParameterError, match="must have the frames of reference, got 1 for 2"):
        ard(STILL[0], STILL)


@pytest.mark.refusal
def test_parameters_of_another_model_are_refused():
    other = FaceParameters.neutral(identity=5, expression=3, reflectance=3, frames=2)
    with pytest.raises(ParameterError, match="got 3 expression coefficients for 4"):
        aed_expression(other, STILL)
