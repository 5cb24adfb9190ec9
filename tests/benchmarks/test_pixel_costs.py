from types import SimpleNamespace

import pytest
import torch

from benchmarks.pixel_costs import COSTS, Cost, Points, alternating, cost_in_use
from morphface.fit import PhotometricSettings
from morphface.fit.analysis import problem
from morphface.fit.analysis.sampling import Samples

LIGHT = torch.tensor([[0.3, 0.2, 0.1]])
SIDE = 40


def points(cost, rng):
    """Points on a grid of pixels a millimetre apart."""
    count = SIDE * SIDE
    samples = Samples(
        torch.zeros(count, 3).long(),
        torch.ones(count, 3) / 3,
        torch.arange(count),
        torch.rand(count, generator=rng) + 0.5,
    )
    look = SimpleNamespace(
        illumination=LIGHT, translation=torch.tensor([0.0, 0, -600]), focal=torch.tensor(600.0)
    )
    lens = SimpleNamespace(weak_depth=None, scale=torch.ones(2))
    view = SimpleNamespace(mixed=lambda colours: colours, size=(SIDE, SIDE), lens=lens)
    return Points(cost, SimpleNamespace(look=look), samples, view)


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", COSTS)
def test_slopes_are_those_of_the_feature(name, rng):
    some = points(COSTS[name], rng)
    colours = torch.rand(9, 3, generator=rng) + 0.05
    step = 1e-3 * torch.randn(9, 3, generator=rng)
    moved = some.feature(colours + step) - some.feature(colours - step)
    told = torch.einsum("nij,nj->ni", some.slope(colours), 2 * step)
    torch.testing.assert_close(moved, told, atol=2e-6, rtol=1e-2)


@pytest.mark.parametrize("around", ["mean", "gradient"])
def test_what_is_the_same_everywhere_costs_nothing(around, rng):
    some = points(Cost("colour", around), rng)
    torch.testing.assert_close(
        some.compared(torch.ones(SIDE * SIDE, 3)), torch.zeros(SIDE * SIDE, 3), atol=1e-5, rtol=0
    )


def test_a_brighter_albedo_costs_gradients_of_logarithms_nothing(rng):
    some = points(COSTS["gradients of log luminance"], rng)
    colours = torch.rand(SIDE * SIDE, 3, generator=rng) + 5
    changed = some.feature(1.3 * colours) - some.feature(colours)
    assert float(some.compared(changed).norm()) < 1e-2 * float(changed.norm())


def test_a_highlight_in_the_colour_of_the_light_is_not_seen_in_matte_channels(rng):
    some = points(COSTS["matte channels"], rng)
    colours = torch.rand(9, 3, generator=rng)
    torch.testing.assert_close(
        some.feature(colours + 0.2 * (LIGHT[0] + 0.7)), some.feature(colours), atol=1e-6, rtol=0
    )


def test_the_products_cost_comes_back():
    before = problem.residuals_of
    with cost_in_use(COSTS["matte channels"], PhotometricSettings()):
        assert problem.residuals_of is not before
    assert problem.residuals_of is before


def test_shape_and_colours_are_free_by_turns():
    stages = alternating(PhotometricSettings().stages)
    assert not any({"identity", "reflectance"} <= set(stage.free) for stage in stages)
