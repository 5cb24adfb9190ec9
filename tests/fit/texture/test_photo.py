from dataclasses import replace

import pytest
import torch

from morphface.fit.texture import texture_from_photos
from morphface.fit.texture.cover import covered
from morphface.fit.texture.photo import delit, plausible
from morphface.fit.texture.points import SurfacePoints
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.spherical_harmonics import irradiance
from morphface.models import load_model
from tests.fit.texture.heads import LIGHT, SIZE, spotted, take


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def points(model):
    return SurfacePoints.of(replace(model, uv=None, uv_faces=None), 1)


def test_the_light_is_divided_out_with_the_gain(model, points):
    albedo = spotted(model)
    photo = take(albedo, gain=0.5)
    found = delit(model, points, replace(photo, gain=torch.full((3,), 0.5)))
    seen = (found.confidence > 0.9) & (model.regions["skin"] > 0.9)
    error = (found.albedo - albedo).abs().amax(-1)[seen]
    assert seen.sum() > 500
    assert error.median() < 0.005


def test_nothing_is_divided_by_darkness(model, points):
    night = LIGHT.clone()
    night[0], night[3] = -0.7, 0.6  # one side of the face has no light at all
    photo = take(spotted(model), light=night)
    found = delit(model, points, photo)
    assert found.albedo.isfinite().all()
    assert found.albedo.max() < 10
    shade = irradiance(night, vertex_normals(photo.sight.vertices, model.faces)).amin(-1)
    assert (shade < 0).sum() > 100
    assert found.confidence[shade < 0].max() == 0


def test_burnt_pixels_are_not_trusted(model, points):
    photo = take(spotted(model))
    white = replace(photo, sight=replace(photo.sight, pixels=torch.ones(360, 360, 3)))
    assert delit(model, points, white).confidence.max() < 1e-3


def test_a_highlight_is_not_baked_in(model):
    photo = take(spotted(model))
    pixels = photo.sight.pixels.clone()
    pixels[170:176, 150:156] = 0.96
    shiny = replace(photo, sight=replace(photo.sight, pixels=pixels))
    plain, found = (texture_from_photos(model, [p], size=SIZE) for p in (photo, shiny))
    spots = (found.albedo - plain.albedo).abs().amax(-1)
    baked = (0.96 / photo.sight.pixels[172, 152].amin() - 1) * 0.4
    assert spots.max() < 0.8 * baked
    assert (spots > 0.1).float().mean() < 1e-3


def test_what_looks_like_no_head_is_less_plausible_beside_the_face(model, points):
    found = delit(model, points, take(spotted(model)))
    guide = model.reflectance.mean
    green = torch.tensor([0.1, 0.9, 0.2]).expand_as(guide)
    ears = (model.regions["ears"] > 0.5)[:, None]
    mixed = replace(found, albedo=torch.where(ears, green, found.albedo))
    sure = plausible(model, points, mixed, guide).confidence
    assert sure[ears[:, 0]].max() < 0.1
    assert sure[model.regions["cheeks"] > 0.5].max() > 0.9


def test_a_collar_leaves_no_line_on_the_neck(model):
    height = model.identity.mean[:, 1]
    skin = model.reflectance.mean
    collar = ((height < -140) & (model.regions["neck"] > 0.5))[:, None]
    found = texture_from_photos(model, [take(torch.where(collar, 0.02, skin))], size=SIZE)
    plain = texture_from_photos(model, [take(skin)], size=SIZE)
    neck = model.regions["neck"] > 0.9
    darker = (found.colours / plain.colours).mean(-1)[neck]
    assert darker.min() > 0.85


def test_make_up_is_not_taken_for_a_hand(model, points):
    photo = take(spotted(model))
    screen = photo.sight.camera.project(photo.sight.vertices)[:, :2]
    lids = model.regions["eyelids"] > 0.9
    spot = torch.zeros(360, 360)
    column, row = screen[lids].long().unbind(-1)
    for down in range(-2, 3):
        spot[row + down, column] = 1.0
    painted = covered(model, points, screen, spot)[lids]
    hand = covered(model, points, screen, torch.ones(360, 360))[lids]
    assert painted.median() < 0.5
    assert hand.min() > 0.99
