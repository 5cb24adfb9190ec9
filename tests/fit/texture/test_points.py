from dataclasses import replace

import pytest
import torch

from morphface.fit.texture.points import SurfacePoints
from morphface.models import load_model


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def points(model):
    return SurfacePoints.of(model, 256)


def test_a_point_and_its_mirror_are_on_both_sides(model, points):
    place = points.at(model.identity.mean)
    known = points.mirror >= 0
    off = place[points.mirror[known]] * torch.tensor([-1.0, 1.0, 1.0]) - place[known]
    texel = (place[1:] - place[:-1]).norm(dim=-1).median()
    assert known.float().mean() > 0.9
    assert off.norm(dim=-1).median() < 0.5 * texel
    assert off.norm(dim=-1).quantile(0.95) < 2 * texel


def test_a_field_that_is_even_is_its_own_mirror(model, points):
    height = points.at(model.identity.mean[:, 1:2])
    known = points.mirror >= 0
    assert (points.mirrored(height) - height)[known].abs().median() < 0.5


def test_the_mean_of_a_constant_is_that_constant_whatever_the_trust(points, rng):
    trust = torch.rand(len(points.corners), generator=rng)
    mean, known = points.mean(torch.full((len(trust), 2), 3.0), trust)
    there = known > 0
    torch.testing.assert_close(mean[there], torch.full_like(mean[there], 3.0))
    assert (mean[~there] == 0).all()
    assert (known <= 1 + 1e-5).all()


def test_what_is_not_trusted_does_not_count(points):
    trust = (points.corners[:, 0] % 2).float()
    values = torch.where(trust[:, None] > 0, 1.0, torch.nan)
    assert points.mean(values, trust)[0].isfinite().all()


def test_vertices_serve_where_there_is_no_layout(model):
    own = SurfacePoints.of(replace(model, uv=None, uv_faces=None), 64)
    values = model.identity.mean
    torch.testing.assert_close(own.at(values), values)
    torch.testing.assert_close(own.mirrored(values), values[model.mirror])
    assert own.image(values) is None


def test_triangles_without_a_partner_have_no_mirror(model):
    own = torch.arange(model.size)
    itself = SurfacePoints.of(replace(model, mirror=own), 128)
    shifted = SurfacePoints.of(replace(model, mirror=own.roll(1)), 128)
    torch.testing.assert_close(itself.mirror, torch.arange(len(itself.mirror)))
    assert (shifted.mirror >= 0).float().mean() < 0.2


def test_a_texture_has_no_empty_texels(model, points):
    image = points.image(torch.ones(len(points.corners), 1))
    assert image.shape == (256, 256, 1)
    assert (image == 1).all()
