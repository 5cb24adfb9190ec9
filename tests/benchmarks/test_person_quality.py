import numpy as np
import pytest

from benchmarks.bench_frame_quality import Judged


def judged(quality):
    """Two clips, one of them twice as long, whose frames are right in half and in all."""
    rows = [
        {"number": clip, "pose_degrees": degrees, "surface_mm": 0.0, "place": 0.0}
        for clip, degrees in ((3, 0.0), (3, 90.0), (3, 0.0), (3, 90.0), (8, 0.0), (8, 0.0))
    ]
    return Judged(rows, np.array(quality))


def test_each_clip_counts_as_one():
    found = judged([0.5] * 4 + [0.9] * 2)
    bins = [[0.5, 0.5, 1.0], [0.9, 1.0, 1.0]]
    assert [pytest.approx(one) for one in bins] == found.bins(found.share)
    assert found.error(found.share) == pytest.approx(0.05)
    assert found.good(found.share, 0.7) == pytest.approx((1.0, 1 / 1.5))
    assert found.skill(found.share, 0.75) == pytest.approx(
        1 - (0.25 + 0.01) / (0.5 * (0.75**2 + 0.25**2) + 0.25**2)
    )
    assert found.area(found.share) == pytest.approx((0.5 * 0.5 * 0.5 + 1.0 * 0.5) / (1.5 * 0.5))


def test_a_constant_has_no_skill_and_tells_nothing_apart():
    found = judged([0.75] * 6)
    assert found.error(found.share) == pytest.approx(0.0)
    assert found.skill(found.share, 0.75) == pytest.approx(0.0)
    assert found.area(found.share) == pytest.approx(0.5)
    assert found.area(found.share, within=True) == pytest.approx(0.5)
