from dataclasses import replace

import pytest
import torch

from morphface.fit.texture import texture_from_photos
from morphface.fit.texture.ambient import LEAST, ambient, inner_parts
from morphface.fit.texture.inner import rims
from morphface.geometry.mesh import vertex_normals
from morphface.models import load_model
from tests.fit.texture.heads import SIZE, spotted, take

BLUE = torch.tensor([0.25, 0.35, 0.5])


@pytest.fixture(scope="module")
def model():
    return load_model()


def middle(texture, model, part):
    return texture.colours[(model.regions[part] > 0.9) & (ambient(model) > 0.9)].median(0).values


def with_eyes(model, iris=None, sclera=1.0):
    albedo = spotted(model)
    white = model.regions["sclera"][:, None]
    albedo = albedo * (1 - white * (1 - sclera))
    return albedo if iris is None else torch.lerp(albedo, iris, model.regions["iris"][:, None])


def test_skin_is_not_darkened_and_the_throat_is(model):
    light = ambient(model)
    assert (light[inner_parts(model) == 0] == 1).all()
    assert light.min() > 0.25
    assert light.max() <= 1
    z = model.identity.mean[:, 2]
    mouth = (model.regions["mouth"] > 0.9) & (model.regions["gums"] < 0.1)
    deep = light[mouth & (z < z[mouth].quantile(0.2))].mean()
    assert deep < 0.9 * light[mouth & (z > z[mouth].quantile(0.95))].mean()


def test_the_front_of_an_eyeball_is_lighter_than_its_back(model):
    light, ball = ambient(model), model.eyes[0].vertices
    z = model.identity.mean[ball, 2]
    assert light[ball][z > z.max() - 1].mean() > 0.9
    assert light[ball][z < z.max() - 12].mean() < 0.8
    assert light[ball].min() > LEAST["eyeballs"] ** (1 / 2.2) - 1e-4


def test_teeth_are_darker_from_behind(model):
    light, teeth = ambient(model), torch.nonzero(model.regions["teeth"] > 0.9)[:, 0]
    rest = model.vertices(torch.zeros(0), torch.zeros(model.expression.rank))
    facing = vertex_normals(rest, model.faces)[teeth, 2]
    assert light[teeth][facing < -0.5].mean() < 0.95 * light[teeth][facing > 0.8].mean()


def test_the_edge_of_a_lid_is_wider_than_that_of_a_lip(model):
    rim, own = rims(model), 1 - inner_parts(model)
    lids, lips = ((model.regions[name] > 0.9) & (own > 0.9) for name in ("eyelids", "lips"))
    assert rim[lids].mean() > 0.8 > 0.1 > rim[lips].mean()


def test_a_model_without_inner_parts_is_not_darkened(toy):
    assert (ambient(toy) == 1).all()
    assert (rims(toy) == 0).all()


def test_rims_are_narrow(model):
    rim = rims(model)
    skin = model.regions["face"] * (1 - inner_parts(model))
    assert rim[model.regions["lashes"] > 0.5].min() == 1
    assert 0 < ((rim > 0) & (skin > 0.9)).sum() < 0.3 * (skin > 0.9).sum()


def test_the_iris_has_the_colour_of_the_photo(model):
    texture = texture_from_photos(model, [take(with_eyes(model, BLUE), size=480)], size=SIZE)
    usual = texture_from_photos(model, [take(spotted(model), size=480)], size=SIZE)
    found, brown = middle(texture, model, "iris"), middle(usual, model, "iris")
    assert brown[0] > brown[2]
    assert found[2] > found[0] + 0.1
    assert (found - BLUE).abs().max() < 0.1


def test_a_dim_sclera_is_dim_within_bounds(model):
    def white(share):
        photo = take(with_eyes(model, sclera=share), size=480)
        return middle(texture_from_photos(model, [photo], size=SIZE), model, "sclera").mean()

    assert 0.6 * white(1.0) < white(0.75) < 0.9 * white(1.0)
    assert white(0.3) > 0.55 * white(1.0)


def test_eyes_behind_dark_glasses_are_dark(model):
    photo = take(spotted(model), size=480)
    pixels = photo.sight.pixels.clone()
    screen = photo.sight.camera.project(photo.sight.vertices)[:, :2]
    eyes = torch.stack([screen[eye.vertices].mean(0) for eye in model.eyes])
    (left, top), (right, bottom) = eyes.amin(0) - 40, eyes.amax(0) + 40
    pixels[int(top) : int(bottom), int(left) : int(right)] *= 0.12
    dark = replace(photo, sight=replace(photo.sight, pixels=pixels))
    texture = texture_from_photos(model, [dark], size=SIZE)
    assert middle(texture, model, "sclera").max() < 0.35


def test_an_opened_mouth_has_teeth_that_are_lighter_than_its_depth(model):
    texture = texture_from_photos(model, [take(spotted(model))], size=SIZE)
    brightness = texture.colours.mean(-1)
    z = model.identity.mean[:, 2]
    mouth = (model.regions["mouth"] > 0.9) & (model.regions["gums"] < 0.1)
    deep = brightness[mouth & (z < z[mouth].median())].mean()
    assert brightness[model.regions["teeth"] > 0.9].mean() > 2 * deep
    assert brightness[model.regions["tongue"] > 0.9].mean() > deep
    gums = brightness[model.regions["gums"] > 0.9]
    assert gums.max() > 3 * deep  # before the teeth
    assert gums.min() < 2 * deep  # behind them


def test_what_photos_show_of_inner_parts_is_not_in_the_texture(model):
    texture = texture_from_photos(model, [take(spotted(model))], size=SIZE)
    assert texture.confidence.max() > 0.99
    uv = model.uv[model.uv_faces[(inner_parts(model)[model.faces] > 0.9).all(-1)]].mean(1)
    row, column = ((1 - uv[:, 1]) * SIZE).long(), (uv[:, 0] * SIZE).long()
    assert texture.confidence[row, column].max() < 0.1
