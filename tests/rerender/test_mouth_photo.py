"""What a photo shows between lips: where upper teeth end, and what of them a lip hides."""

from dataclasses import replace

import pytest
import torch

from morphface.rerender.mouth_photo import HIDDEN, RIM, ROWS, TIP, MouthPhoto, _ends
from morphface.rerender.ring_axes import COLUMNS, RingAxes
from morphface.rerender.teeth import ArchLines

GAP = 0.3


@pytest.fixture(scope="module")
def mouth():
    upper, lower = torch.full((COLUMNS,), GAP / 2), torch.full((COLUMNS,), -GAP / 2)
    ring = torch.tensor([[0.0, 0.0], [50.0, 10.0], [100.0, 0.0], [50.0, -10.0]])
    axes = RingAxes.of(ring, torch.tensor([[50.0, -40.0]]))
    seen = torch.zeros(1, 1, 3), (0, 0)
    return MouthPhoto(axes, upper, lower, lower, torch.ones(3), True, True, *seen)


def test_upper_teeth_keep_their_tips_and_end_where_it_is_darkest_below_them():
    rows, along = torch.arange(ROWS)[:, None], torch.arange(COLUMNS)
    tips = 16 + (2 * torch.cos(along * 2 * torch.pi / 17)).round()
    light = torch.where(rows < tips, 1.0, 0.5)  # teeth, and a tongue
    light = torch.where((rows >= tips) & (rows < tips + 2), 0.1, light)
    ends = _ends(light > 0.6, light, torch.full((COLUMNS,), GAP)) * ROWS
    assert bool((ends >= tips).all())
    reach = TIP * ROWS / (GAP - 2 * RIM)
    assert bool((ends <= tips.max() + reach).all())
    nothing = torch.zeros(ROWS, COLUMNS)
    assert not _ends(nothing > 0.6, nothing, torch.full((COLUMNS,), GAP)).any()


@pytest.mark.parametrize("below", [-0.05, 0.0, 0.5 * HIDDEN, 0.2])
def test_a_lower_lip_hides_little_of_the_teeth_that_reach_it(mouth, below):
    edge = mouth.lower - RIM - below
    row = ArchLines(torch.stack([0 * edge, edge, edge + 0.2], dim=-1), upper=True)
    hidden = mouth.lower - RIM - mouth.fitted(row).table[:, 1]
    expected = torch.full_like(edge, min(max(below, 0.0), HIDDEN))
    torch.testing.assert_close(hidden, expected, rtol=0, atol=1e-6)
    seen = replace(mouth, cut=False).fitted(row).table[:, 1]
    torch.testing.assert_close(seen, mouth.ends)


@pytest.mark.parametrize("edge", [-0.1, 0.0, 0.4])
def test_an_open_mouth_that_shows_no_teeth_has_them_behind_the_upper_lip(mouth, edge):
    line = torch.full((COLUMNS,), edge)
    row = ArchLines(torch.stack([0 * line, line, line + 0.2], dim=-1), upper=True)
    dark = replace(mouth, teeth=None, ends=mouth.upper, cut=False)
    found = dark.fitted(row).table[:, 1]
    torch.testing.assert_close(found, torch.maximum(line, mouth.upper + RIM))
    # A slit does not tell: they may be seen as soon as it opens.
    unclear = replace(dark, clear=False).fitted(row).table[:, 1]
    assert bool((unclear <= mouth.upper).all())


@pytest.mark.parametrize("gap", [0.3, 1.6])
def test_lips_of_a_mouth_that_is_open_wider_than_it_is_broad_are_all_there(gap):
    pixels = torch.zeros(400, 300, 3)
    ring = torch.tensor([[100.0, 200.0], [150.0, 200.0], [200.0, 200.0], [150.0, 200.0]])
    ring[1, 1] += 50 * gap
    ring[3, 1] -= 50 * gap
    mouth = MouthPhoto.of(pixels, ring, torch.tensor([[150.0, 90.0]]))
    bottom = mouth.corner[1] + len(mouth.lips)
    assert min(bottom, 400) >= min(ring[1, 1] + 0.5 * 100, 400)
