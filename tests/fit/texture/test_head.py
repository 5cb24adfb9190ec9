from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.fit.analysis.colour import LUMINANCE
from morphface.fit.texture import texture_from_photos
from morphface.geometry.mesh import vertex_normals
from morphface.models import load_model
from morphface.render import Renderer, sample_texture
from morphface.render.texture import Texture
from tests.fit.texture.heads import LIGHT, SIZE, WALL, error_of, spotted, take


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def albedo(model):
    return spotted(model)


@pytest.fixture(scope="module")
def front(model, albedo):
    photo = take(albedo)
    return photo, texture_from_photos(model, [photo], size=SIZE)


@pytest.fixture(scope="module")
def aside(model, albedo):
    """Photos from the front and from both sides."""
    return [take(albedo, yaw=yaw) for yaw in (-0.6, 0.0, 0.6)]


def skin(model, side=None):
    """Vertices of the face's skin, well away from what moves; those of one side."""
    lids = model.regions["eye_sockets"] + model.regions["lashes"] + model.regions["mouth"]
    chosen = (model.regions["face"] > 0.9) & (lids < 0.01) & (model.regions["brows"] < 0.01)
    x = model.identity.mean[:, 0]
    return chosen if side is None else chosen & ((x > 15) if side == "left" else (x < -15))


def relit(model, photo, texture):
    levels = Texture.of(texture.albedo[None])
    renderer = Renderer.of(model, photo.sight.camera)
    drawn = renderer(
        photo.sight.vertices[None], texture=levels, illumination=photo.illumination[None]
    )
    return drawn.colour[0] * texture.gains[0], drawn.mask[0]


def test_the_albedo_is_recovered_where_it_is_seen(model, albedo, front):
    texture = front[1]
    error = error_of(texture, albedo, skin(model))
    assert error.median() < 0.006
    ahead = vertex_normals(model.identity.mean, model.faces)[skin(model), 2] > 0.5
    assert error[ahead].quantile(0.95) < 0.03  # at grazing angles, pixels blur the marks
    assert (
        error.median()
        < 0.25 * (albedo - model.reflectance.mean).abs().mean(-1)[skin(model)].median()
    )


def test_the_fitted_light_on_the_texture_gives_the_photo_back(model, front):
    photo, texture = front
    colours, mask = relit(model, photo, texture)
    face = mask > 0.99
    error = (colours - photo.sight.pixels).abs().mean(-1)[face]
    assert error.median() < 0.006
    assert error.quantile(0.9) < 0.03


def test_the_other_light_of_the_same_head_gives_the_same_texture(model, albedo, front):
    other = LIGHT.clone()
    other[3], other[1] = -0.3, -0.1
    texture = texture_from_photos(model, [take(albedo, light=other)], size=SIZE)
    difference = (texture.colours - front[1].colours).abs().mean(-1)[skin(model)]
    assert difference.median() < 0.006
    assert difference.quantile(0.95) < 0.05


def test_the_side_that_is_not_seen_is_like_the_other_one(model, albedo):
    photo = take(albedo, yaw=-0.8)  # the subject's left is towards the camera
    hidden = skin(model, "right")
    with_twin = texture_from_photos(model, [photo], size=SIZE)
    lonely = texture_from_photos(replace(model, mirror=None), [photo], size=SIZE)
    error, without = (error_of(t, albedo, hidden) for t in (with_twin, lonely))
    assert error_of(with_twin, albedo, skin(model, "left")).median() < 0.01
    assert error.median() < 0.01
    assert error.quantile(0.9) < 0.6 * without.quantile(0.9)


def test_what_no_photo_shows_is_as_the_model_has_it(model, front):
    back = model.identity.mean[:, 2] < -120
    error = error_of(front[1], model.reflectance.mean, back)
    assert back.sum() > 50
    assert error.mean() < 0.02
    assert error.max() < 0.1  # the back of the head has few texels


def test_several_photos_show_more_than_one(model, albedo, aside):
    marks = albedo * (1 + 0.12 * torch.sin(model.identity.mean[:, :1] / 7))
    photos = [take(marks, yaw=yaw) for yaw in (-0.6, 0.0, 0.6)]
    together = error_of(texture_from_photos(model, photos, size=SIZE), marks, skin(model))
    for photo in photos:
        alone = error_of(texture_from_photos(model, [photo], size=SIZE), marks, skin(model))
        assert together.mean() < alone.mean()


def test_a_spoilt_photo_among_three_does_not_show(model, albedo, aside):
    clean = texture_from_photos(model, aside, size=SIZE)
    pixels = aside[1].sight.pixels.clone()
    pixels[120:300, 130:230] = torch.tensor([0.9, 0.2, 0.6])
    spoilt = replace(aside[1], sight=replace(aside[1].sight, pixels=pixels))
    texture = texture_from_photos(model, [aside[0], spoilt, aside[2]], size=SIZE)
    alone = texture_from_photos(model, [spoilt], size=SIZE)
    seen = skin(model) & (error_of(alone, albedo, slice(None)) > 0.1)
    assert seen.sum() > 100
    assert error_of(texture, albedo, seen).quantile(0.9) < 0.04
    assert error_of(clean, albedo, skin(model)).median() < 0.01


def test_photos_of_another_brightness_are_brought_to_one_level(model, albedo, aside):
    gain = torch.tensor([0.8, 0.7, 0.6])
    dim = replace(aside[2].sight, pixels=aside[2].sight.pixels * gain)
    photos = [*aside[:2], replace(aside[2], sight=dim)]
    texture = texture_from_photos(model, photos, size=SIZE)
    assert error_of(texture, albedo, skin(model)).median() < 0.01
    torch.testing.assert_close(texture.gains[2] / texture.gains[1], gain, atol=0.04, rtol=0)


def test_what_hides_the_face_is_not_painted_on_it(model, albedo):
    photo = take(albedo)
    pixels, cover = photo.sight.pixels.clone(), torch.zeros(360, 360)
    pixels[:, 195:] = torch.tensor([0.55, 0.45, 0.4])
    cover[:, 190:] = 1.0
    hidden = replace(photo, sight=replace(photo.sight, pixels=pixels), occlusion=cover)
    away = model.regions["eyelids"] < 0.01  # their rims are never a photo's
    by_symmetry, alone = (
        error_of(texture_from_photos(m, [hidden], size=SIZE), albedo, skin(model, "left") & away)
        for m in (model, replace(model, mirror=None))
    )
    assert by_symmetry.median() < 0.6 * alone.median()
    assert by_symmetry.median() < 0.02


def test_a_grey_photo_makes_a_grey_head(model, albedo, front):
    photo = front[0]
    weights = torch.tensor(LUMINANCE)
    pixels = (photo.sight.pixels @ weights)[..., None].expand(-1, -1, 3).contiguous()
    grey = replace(photo, sight=replace(photo.sight, pixels=pixels), grey=True)
    texture = texture_from_photos(model, [grey], size=SIZE)
    colours, mask = relit(model, grey, texture)
    error = (colours @ weights - pixels[..., 0]).abs()[mask > 0.99]
    assert (texture.albedo.amax(-1) - texture.albedo.amin(-1)).max() < 0.02
    assert error.median() < 0.01


def test_both_sides_of_a_texture_seam_agree(model, front):
    corner, place = model.faces.flatten(), model.uv_faces.flatten()
    colour = sample_texture(front[1].albedo[None], model.uv[None, None])[0, 0][place]
    total = torch.zeros(model.size, 3).index_add(0, corner, colour)
    count = torch.bincount(corner, minlength=model.size)[:, None]
    off = (colour - (total / count)[corner]).abs().mean(-1)
    split = torch.zeros(model.size, dtype=torch.bool)
    first = torch.full((model.size,), -1).index_put((corner,), place)
    split[corner[first[corner] != place]] = True
    assert split.sum() > 100
    within = model.regions["mouth"] + model.regions["eye_sockets"]  # coarse, and mostly hidden
    inside = within[corner] > 0.01
    assert off[split[corner] & ~inside].quantile(0.95) < 0.03


def test_no_background_gets_onto_the_head(model, aside):
    texture = texture_from_photos(model, aside, size=SIZE)
    outside = model.regions["eyeballs"] < 0.5
    greener = (texture.colours - model.reflectance.mean)[outside] @ WALL
    assert (texture.colours[:, 1] <= texture.colours[:, 0] + 0.03).all()
    assert greener.max() < 0.2


@pytest.mark.refusal
def test_no_photos_are_refused(model):
    with pytest.raises(ParameterError, match="at least one photo, got none"):
        texture_from_photos(model, [])


@pytest.mark.refusal
def test_a_head_of_another_model_is_refused(toy, front):
    with pytest.raises(ShapeError, match=r"vertices of photo 0 must have shape \(..., 410, 3\)"):
        texture_from_photos(toy, [front[0]])


@pytest.mark.refusal
def test_an_occlusion_of_another_size_is_refused(front):
    with pytest.raises(ShapeError, match=r"occlusion must have shape \(..., 360, 360\)"):
        replace(front[0], occlusion=torch.zeros(10, 10))
