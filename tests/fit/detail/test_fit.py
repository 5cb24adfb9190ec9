from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ModelError, ParameterError
from morphface.fit import DetailSettings, fit_detail
from tests.fit.detail.photos import SIZE, correlation, in_the_middle, lamp, photographed, waves

SURE = DetailSettings(
    response=1.0,
    mottle=0.003,
    albedo=0.1,
    slope=0.3,
    finest=0.5,
    coarsest=40.0,
    melanin=0,
    blood=0,
    groove=0,
)


@pytest.fixture(scope="module")
def relief(known):
    return waves(known.faces[0].model)


@pytest.fixture(scope="module")
def sideways(known, relief):
    return photographed(known, lamp(0.7, 0.6, 0.4), relief)


def test_known_ripples_under_a_known_light_are_found(sideways, relief):
    face, photo = sideways
    found = fit_detail([face], [photo], size=SIZE, settings=SURE)
    where = in_the_middle(face.model)
    assert correlation(found.displacement[where], relief.displacement[where]) > 0.8
    assert 0.3 < found.displacement[where].std() / relief.displacement[where].std() < 1.2


def test_normals_are_nearer_to_the_true_ones(sideways, relief):
    face, photo = sideways
    found = fit_detail([face], [photo], size=SIZE, settings=SURE)
    where = in_the_middle(face.model)
    flat = 1 - relief.normals[where][:, 2]
    away = 1 - (relief.normals[where] * found.normals[where]).sum(-1)
    assert away.mean() < 0.5 * flat.mean()


def test_a_smooth_face_has_no_detail(known):
    face, photo = photographed(known, lamp(0.7, 0.6, 0.4), None)
    found = fit_detail([face], [photo], size=SIZE)
    assert found.displacement.abs()[in_the_middle(face.model)].max() < 0.06


def test_spots_under_two_lights_are_albedo_and_ripples_are_relief(known, relief):
    model = known.faces[0].model
    spots = (model.identity.mean @ torch.tensor([0.6, 0.5, 0.0])).sin()[:, None]
    paint = 0.5 * (1 + 0.15 * spots).expand(-1, 3)
    lights = lamp(0.7, 0.5, 0.4), lamp(-0.7, 0.5, 0.4), lamp(0.0, -0.7, 0.4)
    shots = [photographed(known, light, relief, paint) for light in lights]
    where = in_the_middle(model)
    one = fit_detail([shots[0][0]], [shots[0][1]], size=SIZE, settings=SURE)
    all_ = fit_detail(*map(list, zip(*shots, strict=True)), size=SIZE, settings=SURE)
    told = [correlation(d.displacement[where], relief.displacement[where]) for d in (one, all_)]
    assert told[1] > max(0.8, told[0] + 0.05)


def test_relief_stays_within_its_limit_and_off_the_brows_and_lips(sideways):
    face, photo = sideways
    found = fit_detail([face], [photo], size=SIZE, settings=replace(SURE, limit=0.05))
    assert found.displacement.abs().max() <= 0.05
    assert (found.normals.norm(dim=-1) - 1).abs().max() < 1e-5


def test_shading_is_of_encoded_colours_whether_of_one_photo_or_of_several(sideways):
    face, photo = sideways
    settings = replace(SURE, albedo=1e-4)
    where = in_the_middle(face.model)
    told = []
    for count in (1, 2):
        found = fit_detail([face] * count, [photo] * count, size=SIZE, settings=settings)
        told.append(float(found.shading[where].std()))
    assert told[1] / told[0] == pytest.approx(1.0, abs=0.3)


def test_several_photos_of_nothing_tell_nothing(sideways):
    face, photo = sideways
    blind = replace(face, pixels=replace(face.pixels, occlusion=(torch.ones(photo.size),)))
    found = fit_detail([blind, blind], [photo, photo], size=SIZE)
    assert found.displacement.abs().max() < 1e-6


def test_what_no_photo_shows_is_flat(sideways):
    face, photo = sideways
    blind = replace(face, pixels=replace(face.pixels, occlusion=(torch.ones(photo.size),)))
    found = fit_detail([blind], [photo], size=SIZE, settings=SURE)
    assert found.displacement.abs().max() < 1e-6


def test_islands_of_skin_among_hair_are_not_told(sideways):
    face, photo = sideways
    rows, columns = (torch.arange(n) // 8 % 3 > 0 for n in photo.size)
    covered = (rows[:, None] | columns).float()
    strands = replace(face, pixels=replace(face.pixels, occlusion=(covered,)))
    found = fit_detail([strands], [photo], size=SIZE, settings=SURE)
    assert found.displacement.abs().max() < 0.03


@pytest.mark.refusal
def test_faces_and_photos_pair_up(sideways):
    with pytest.raises(ParameterError, match="faces and photos must pair up, got 1 and 0"):
        fit_detail([sideways[0]], [])


@pytest.mark.refusal
def test_no_photos_are_refused():
    with pytest.raises(ParameterError, match="photos must hold at least one photo, got none"):
        fit_detail([], [])


@pytest.mark.refusal
def test_landmarks_alone_are_refused(known):
    with pytest.raises(ParameterError, match="only pixels tell; fit with stage='pixels'"):
        fit_detail([known.faces[0]], [known.photo])


@pytest.mark.refusal
def test_two_models_are_refused(sideways):
    face, photo = sideways
    other = replace(face, model=replace(face.model, name="other"))
    with pytest.raises(ParameterError, match="all faces must have one model, got open-head, other"):
        fit_detail([face, other], [photo, photo])


@pytest.mark.refusal
def test_a_size_out_of_range_is_refused(sideways):
    with pytest.raises(ParameterError, match="size must be from 64 to 4096 texels, got 9"):
        fit_detail([sideways[0]], [sideways[1]], size=9)


@pytest.mark.refusal
def test_a_model_without_texture_coordinates_is_refused(sideways):
    face, photo = sideways
    bare = replace(face, model=replace(face.model, uv=None, uv_faces=None))
    with pytest.raises(ModelError, match="detail needs texture coordinates, and model 'open-head'"):
        fit_detail([bare], [photo])


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"slope": 0.0}, "slope must be positive and finite, got 0.0"),
        ({"groove": -1.0}, "groove must be at least 0 and finite, got -1.0"),
        ({"coarsest": float("inf")}, "coarsest must be positive and finite, got inf"),
    ],
)
def test_impossible_settings_are_refused(fields, message):
    with pytest.raises(ParameterError, match=message):
        DetailSettings(**fields)
