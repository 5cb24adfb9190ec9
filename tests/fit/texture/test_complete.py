import torch

from morphface.fit.texture.complete import completed
from morphface.fit.texture.points import SurfacePoints
from tests.toy import sphere

ROUND, FACES = sphere()
TWIN = torch.cdist(ROUND * torch.tensor([-1.0, 1.0, 1.0]), ROUND).argmin(1)


def points(mirror):
    own = torch.arange(len(ROUND))
    weights = torch.tensor([1.0, 0.0, 0.0]).expand(len(ROUND), 3)
    twin = TWIN if mirror else torch.full_like(own, -1)
    return SurfacePoints(own[:, None].expand(-1, 3), weights, twin, len(ROUND))


def test_what_is_seen_stays():
    values = torch.sin(5 * ROUND)
    done = completed(points(False), FACES, values, torch.ones(len(ROUND)))
    torch.testing.assert_close(done.points, values)


def test_an_even_value_is_restored_on_the_other_side():
    values = torch.cos(4 * ROUND[:, :1] * ROUND[:, 1:2]).expand(-1, 3) + ROUND[:, :1].abs()
    seen = (ROUND[:, 0] > -0.1).float()
    spoilt = torch.where(seen[:, None] > 0, values, 7.0)
    error = (completed(points(True), FACES, spoilt, seen).points - values).abs()
    lonely = (completed(points(False), FACES, spoilt, seen).points - values).abs()
    assert error.max() < 0.08
    assert error.mean() < 0.15 * lonely.mean()


def test_no_seam_is_left_where_the_sides_differ_in_level():
    values = ROUND[:, 1:2].expand(-1, 3) + (ROUND[:, :1] > 0) * 0.0
    seen = ((ROUND[:, 2] > 0) & (ROUND[:, 0] > -0.3)).float()
    level = 0.4
    done = completed(points(True), FACES, values + level, seen).points
    a, b = FACES[:, 0], FACES[:, 1]
    step = (done[a] - done[b]).abs().amax(-1)
    smooth = (values[a] - values[b]).abs().amax(-1)
    assert (step - smooth).max() < 0.6 * level


def test_what_is_seen_fades_with_the_distance():
    seen = (ROUND[:, 1] > 0.97).float()
    done = completed(points(False), FACES, torch.ones(len(ROUND), 3), seen).points
    below = ROUND[:, 1] < -0.9
    assert done[below].max() < 0.6
    assert done[ROUND[:, 1] > 0.97].min() > 0.95
    assert (done <= 1 + 1e-5).all()
    assert (done >= -1e-5).all()
