"""What is behind a person: patterns go on, and neither bars nor neighbours are copied."""

import numpy as np

from morphface.rerender.plate import _joined, barred, inpainted


def test_a_hole_in_a_pattern_is_filled_with_the_pattern():
    y, x = np.mgrid[:90, :120]
    pattern = np.stack([0.5 + 0.4 * np.sign(np.sin(2 * np.pi * x / 10 + 0.3))] * 3, -1)
    pattern = np.float32(pattern)
    hole = np.hypot(x - 60, y - 45) < 15
    broken = np.where(hole[..., None], np.float32(0.9), pattern)
    found = inpainted(broken, hole, hole, 120.0)
    assert np.array_equal(found[~hole], pattern[~hole])
    assert np.median(np.abs(found - pattern)[hole]) < 0.05


def test_a_hole_that_is_all_there_is_is_filled_all_the_same():
    blank = np.full((40, 40, 3), 0.5, np.float32)
    everything = np.ones((40, 40), bool)
    np.testing.assert_allclose(inpainted(blank, everything, everything, 40.0), blank, atol=1e-5)


def test_what_is_behind_goes_on_into_the_hole_from_its_border():
    y, x = np.mgrid[:140, :140]
    stripes = np.select([y < 50, y < 90], [0.2, 0.8], 0.4)
    pattern = np.repeat(np.float32(stripes)[..., None], 3, -1)
    hole = np.hypot(x - 70, y - 70) < 45
    broken = np.where(hole[..., None], np.float32(0.0), pattern)
    found = inpainted(broken, hole, hole, 100.0)
    border = hole & (np.hypot(x - 70, y - 70) > 33)
    assert (np.abs(found - pattern)[border].max(-1) < 0.1).mean() > 0.9


def test_bars_along_a_border_are_told_from_a_plain_wall():
    rng = np.random.default_rng(0)
    wall = np.float32(0.5 + 0.2 * rng.random((60, 80, 3)))
    assert not barred(wall).any()
    assert not barred(np.full((60, 80, 3), 0.5, np.float32)).any()
    boxed = wall.copy()
    boxed[:6] = 0.0
    boxed[:, -9:] = 0.0
    expected = np.zeros((60, 80), bool)
    expected[:6] = True
    expected[:, -9:] = True
    assert np.array_equal(barred(boxed), expected)


def test_neighbours_are_no_source_of_what_is_behind_a_person_and_stay_beside_it():
    y, x = np.mgrid[:120, :160]
    rng = np.random.default_rng(0)
    wall = np.float32(0.4 + 0.05 * rng.standard_normal((120, 160, 1))) * np.ones(3, np.float32)
    strange = (x > 120) & (y > 30)
    wall[strange] = [1.0, 0.0, 0.0]
    hole = np.hypot(x - 80, y - 60) < 38
    found = inpainted(wall, hole, hole, 100.0, strange)
    red = found[..., 0] - found[..., 1]
    assert np.array_equal(found[~hole], wall[~hole])
    assert red[hole & (x < 80)].max() < 0.3


def test_a_light_wall_is_not_filled_with_something_dark_beside_the_head():
    y, x = np.mgrid[:300, :240]
    rng = np.random.default_rng(0)
    wall = 0.85 + 0.01 * rng.standard_normal((300, 240, 1))
    wall = np.where(((x > 190) & (x < 215) & (y > 40))[..., None], 0.15, wall)
    wall = np.repeat(np.float32(wall), 3, -1)
    hole = (np.hypot((x - 115) / 0.75, y - 115) < 85) | ((y > 230) & (x < 230))
    hole |= (np.abs(x - 115) < 40) & (y > 115)
    wanted = hole & (y < 230)
    found = inpainted(wall, hole, wanted, 170.0)
    assert (found[hole & (y < 190) & (x < 170)].mean(-1) > 0.7).mean() > 0.97


def test_what_is_joined_to_a_border_has_no_rim_beyond_both():
    hole = np.hypot(*(np.mgrid[:100, :100] - 50.0)) < 40
    deep = np.hypot(*(np.mgrid[:100, :100] - 50.0)) < 35
    smooth = np.full((100, 100, 3), 0.8, np.float32)
    found = np.where(deep[..., None], np.float32(0.1), smooth)
    joined = _joined(found, smooth, hole, 100.0)
    assert joined.max() < 0.85
    assert np.array_equal(joined[~hole], found[~hole])
    lifted = hole & ~deep
    assert np.abs(joined - smooth)[lifted].max() < 0.05
