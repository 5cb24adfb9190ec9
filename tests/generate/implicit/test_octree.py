import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.generate.implicit import occupancy
from morphface.generate.implicit.octree import CHUNK
from tests.generate.implicit.volumes import HIGH, LOW, asked, sphere, torus


@pytest.mark.parametrize("distance", [sphere, torus])
def test_the_octree_is_the_whole_grid_where_the_surface_goes(distance):
    some = occupancy(asked(distance), LOW, HIGH, 64, coarse=16)
    every = occupancy(asked(distance), LOW, HIGH, 64, coarse=64)
    near = np.abs(every - 0.5) < 2 * 2 / 64
    np.testing.assert_array_equal(some[near], every[near])
    np.testing.assert_array_equal(some > 0.5, every > 0.5)


def test_nodes_are_where_they_are_said_to_be():
    low, high = torch.tensor([-1.0, 0.0, 2.0]), torch.tensor([1.0, 4.0, 3.0])
    found = occupancy(lambda p: p @ torch.tensor([1.0, 10.0, 100.0]), low, high, 4, coarse=4)
    assert found.shape == (5, 5, 5)
    assert found[0, 0, 0] == pytest.approx(-1 + 200)
    assert found[4, 1, 2] == pytest.approx(1 + 10 + 250)


def test_few_nodes_are_asked_for_and_none_twice():
    seen = []

    def ask(points):
        assert len(points) <= CHUNK
        seen.append(points)
        return asked(sphere)(points)

    occupancy(ask, LOW, HIGH, 64, coarse=16)
    points = torch.cat(seen)
    assert len(torch.unique(points, dim=0)) == len(points)
    assert len(points) < 0.35 * 65**3


@pytest.mark.refusal
@pytest.mark.parametrize(("resolution", "coarse"), [(48, 32), (16, 32), (100, 32), (64, 0)])
def test_a_resolution_that_halving_does_not_reach_is_refused(resolution, coarse):
    with pytest.raises(ParameterError, match=r"resolution must be coarse \(\d+\) times a power"):
        occupancy(asked(sphere), LOW, HIGH, resolution, coarse=coarse)
