from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.fit import FitResult, PhotometricResult
from morphface.fit.fitted import FittedFace
from morphface.fit.texture.faces import head_texture, head_texture_from_photos, texture_size
from morphface.geometry.angles import angles_to_rotvec
from morphface.landmarks import Landmarks
from morphface.media.images import Photo
from morphface.models import load_model
from morphface.parameters import FaceParameters
from tests.fit.texture.heads import spotted, take


@pytest.fixture(scope="module")
def texture(known):
    return head_texture(known.faces[0], known.photo, size=512)


def test_no_background_gets_onto_the_head(texture):
    assert (texture.colours[:, 1] <= texture.colours[:, 0] + 0.03).all()


def test_a_face_without_a_light_has_the_colours_of_the_photo(known, texture):
    model = known.faces[0].model
    skin = model.regions["skin"] > 0.5
    error = (texture.colours - model.reflectance.mean).abs().amax(-1)[skin]
    assert error.median() < 0.02


def test_a_model_without_texture_coordinates_has_colours_alone(known):
    face = known.faces[0]
    plain = replace(face, model=replace(face.model, uv=None, uv_faces=None))
    texture = head_texture(plain, known.photo)
    assert texture.albedo is None
    assert texture.colours.isfinite().all()


def test_a_model_without_reflectance_gets_colours_too(known):
    face = known.faces[0]
    bare = replace(face, model=replace(face.model, reflectance=None, regions={}))
    colours = head_texture(bare, known.photo, size=256).colours
    assert colours.isfinite().all()
    assert (colours[:, 1] <= colours[:, 0] + 0.05).float().mean() > 0.998


def view(yaw):
    """A marked head under a light, and a perfect fit of it whose reflectance is the mean."""
    albedo = spotted()
    shot = take(albedo, yaw=yaw)
    model, size = load_model(), shot.sight.camera.size
    vector = FaceParameters.neutral().to_vector()
    face = FaceParameters.from_vector(vector, identity=80, expression=52, reflectance=80)
    face = replace(
        face,
        rotation=angles_to_rotvec(torch.tensor([[yaw, 0.0, 0.0]])),
        translation=torch.tensor([[0.0, 0.0, -700.0]]),
        illumination=shot.illumination[None],
    )
    points = torch.zeros(68, 2)
    landmarks = Landmarks(points, "68", torch.ones(68), (0, 0, 1, 1))
    fit = FitResult(face, shot.sight.camera, landmarks, points, 0.0, True, "", ())
    seen = PhotometricResult(
        parameters=face, cameras=(shot.sight.camera,), landmarks=(landmarks,),
        predicted=(points,), landmark_nme=(0.0,), photometric_rmse=(0.0,), energies={},
        history=(), albedo=shot.albedo, iterations=0, occlusion=(torch.zeros(size),),
        gain=torch.ones(1, 3), grey=(False,), converged=True, reason="",
    )  # fmt: skip
    return FittedFace(fit, model, {}, seen), Photo(shot.sight.pixels)


def test_three_views_of_a_head_make_one_texture():
    faces, photos = zip(*(view(yaw) for yaw in (-0.7, 0.0, 0.7)), strict=True)
    together = head_texture_from_photos(faces, photos, size=512)
    model, truth = faces[0].model, spotted()
    skin = (model.regions["face"] > 0.9) & (model.regions["lashes"] < 0.01)
    error = (together.colours - truth).abs().mean(-1)[skin]
    alone = (head_texture(faces[1], photos[1], size=512).colours - truth).abs().mean(-1)[skin]
    assert error.median() < 0.008
    assert error.mean() < alone.mean()
    assert together.gains.shape == (3, 3)
    torch.testing.assert_close(together.gains, torch.ones(3, 3), atol=0.05, rtol=0)


@pytest.mark.refusal
def test_faces_and_photos_must_pair_up(known):
    with pytest.raises(ParameterError, match="must pair up, got 1 and 0"):
        head_texture_from_photos(known.faces, [])


@pytest.mark.refusal
def test_no_photos_are_refused():
    with pytest.raises(ParameterError, match="at least one photo, got none"):
        head_texture_from_photos([], [])


@pytest.mark.refusal
def test_faces_of_two_models_are_refused(known):
    face = known.faces[0]
    other = replace(face, model=replace(face.model, name="another"))
    with pytest.raises(ParameterError, match="one model, got another, open-head"):
        head_texture_from_photos([face, other], [known.photo] * 2)


def test_a_photo_with_twice_the_pixels_gets_twice_the_texels(known):
    """Between the smallest size and the largest that is chosen unasked."""
    face = known.faces[0]
    sizes = [texture_size(closer(face, factor)) for factor in (0.25, 8.0, 16.0, 256.0)]
    assert sizes == [512, sizes[1], 2 * sizes[1], 2048]


def closer(face, factor):
    """The face in a photo with `factor` times the pixels."""
    camera = face.camera
    wide = replace(
        camera,
        focal=camera.focal * factor,
        principal=camera.principal * factor,
        size=tuple(round(side * factor) for side in camera.size),
    )
    return replace(face, fit=replace(face.fit, camera=wide))


def test_what_no_photo_shows_is_invented(known, texture):
    """The head is turned away by 17 degrees: most of its face is seen, but not all."""
    assert 0.02 < texture.invented < 0.6
