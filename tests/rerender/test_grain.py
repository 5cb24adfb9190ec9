import pytest
import torch

from morphface.rerender.grain import AXIS, RADIUS, REACH, fine_light, grain_of

AXES = torch.tensor([[2.0, 0.3], [-0.1, -1.9]])


def tube():
    """Points around a head, and where a photo has them that shows it unrolled."""
    angle, y = torch.meshgrid(torch.linspace(-1, 1, 60), torch.linspace(-60, 60, 60), indexing="ij")
    mean = torch.stack([RADIUS * angle.sin(), y, AXIS + RADIUS * angle.cos()], -1).flatten(0, 1)
    around = torch.stack([RADIUS * angle, y], -1).flatten(0, 1)
    return mean, around, around @ AXES + 200


@pytest.fixture
def patch():
    mean, around, places = tube()
    known = (around[:, 0] > 0).float()
    return grain_of(mean, known, places), around, places


def test_grain_within_the_patch_is_where_the_photo_has_it(patch):
    grain, _, places = patch
    inner = (grain.coordinates.abs() < REACH - 0.1).all(-1)
    assert inner.sum() > 20
    torch.testing.assert_close(
        grain.places(grain.coordinates)[inner], places[inner], atol=0.05, rtol=0
    )


def test_the_patch_is_where_skin_is_seen_all_around(patch):
    grain, around, _ = patch
    middle = (around - grain.coordinates)[0]
    assert middle[0] > REACH


def test_grain_is_mirrored_at_the_edges_of_the_patch_and_never_leaves_it(patch):
    grain = patch[0]
    here = torch.tensor([[3.0, -2.0], [7.5, 8.0]])
    for beyond in (2 * REACH - here, here + 4 * REACH):
        torch.testing.assert_close(grain.places(beyond), grain.places(here), atol=1e-3, rtol=0)
    far = grain.places(grain.coordinates) - grain.middle
    assert (far @ torch.linalg.inv(AXES)).abs().max() < REACH + 0.1


def test_a_photo_that_shows_no_skin_has_no_grain():
    mean, around, places = tube()
    assert grain_of(mean, torch.zeros(len(mean)), places) is None
    few = (around.norm(dim=-1) < 3).float()
    assert grain_of(mean, few, places) is None


@pytest.mark.parametrize("lines", [True, False])
def test_lines_are_no_grain_and_pores_are(patch, lines):
    dice = torch.Generator().manual_seed(0)
    noise = 0.02 * torch.randn(400, 1 if lines else 400, 1, generator=dice)
    pixels = 0.5 + noise.expand(400, 400, 3)
    fine, _ = fine_light(pixels, patch[0], 400.0)
    assert (abs(fine - 1).max() < 1e-6) == lines
