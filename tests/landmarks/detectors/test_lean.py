"""The lean of the mesh's depth is taken out, however the face is turned in the picture."""

import math

import pytest
import torch

from morphface.landmarks.detectors.lean import LEAN, straightened


@pytest.fixture
def face():
    """A flat face, upright, with its forehead (10) above its chin (152)."""
    points = torch.rand(478, 2, generator=torch.Generator().manual_seed(0)) * 100
    points[10], points[152] = torch.tensor([50.0, 0.0]), torch.tensor([50.0, 100.0])
    return points


@pytest.mark.parametrize("degrees", [0.0, 30.0, 180.0])
def test_a_flat_face_that_leans_stands_upright_again(face, degrees):
    height = face[:, 1].mean() - face[:, 1]
    angle = math.radians(degrees)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    found = straightened(-LEAN * height, face @ turn.T)
    torch.testing.assert_close(found, torch.zeros(478), atol=1e-4, rtol=0)


def test_nothing_changes_on_the_whole_or_with_size(face):
    depth = torch.randn(478, generator=torch.Generator().manual_seed(1))
    found = straightened(depth, face)
    torch.testing.assert_close(found.mean(), depth.mean(), atol=1e-4, rtol=0)
    torch.testing.assert_close(straightened(3 * depth, 3 * face), 3 * found)
