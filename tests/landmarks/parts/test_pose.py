import numpy as np
import pytest
import roma
import torch

from morphface.geometry.angles import angles_to_rotvec
from morphface.landmarks.parts.pose import HeadPose, head_pose


def seen(template, yaw, pitch=0.1, roll=-0.2):
    turn = roma.rotvec_to_rotmat(angles_to_rotvec(torch.tensor([yaw, pitch, roll])))
    pose = HeadPose(turn.double().numpy(), 1.3, np.array([200.0, 150.0]), 0.0)
    return pose, pose.screen(template)


@pytest.mark.parametrize("yaw", [-1.4, -0.7, 0.0, 0.4, 1.2])
def test_the_turn_of_the_mean_head_is_found(template, yaw):
    true, points = seen(template, yaw)
    found = head_pose(template, points, np.ones(len(points)))
    assert found.error < 1.0
    np.testing.assert_allclose(found.screen(template), points, atol=3)
    assert found.yaw == pytest.approx(true.yaw, abs=0.05)


def test_half_a_profile_tells_the_turn(template):
    _, points = seen(template, 1.3)
    weight = (template[:, 0] <= 1).astype(float)
    points[weight == 0] = np.nan
    found = head_pose(template, points, weight)
    assert found.yaw == pytest.approx(1.3, abs=0.3)
