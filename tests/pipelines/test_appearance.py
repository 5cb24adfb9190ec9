from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.pipelines.appearance import head_texture, head_texture_from_photos
from morphface.pipelines.head_files import rigged_head


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


def test_the_rig_at_its_weights_is_the_fitted_head(known):
    face = known.faces[0]
    rig = rigged_head(face, known.photo)
    posed = rig.vertices + sum(rig.weights[name] * rig.targets[name] for name in rig.targets)
    assert rig.weights["jawOpen"] == pytest.approx(0.25)
    assert list(rig.targets) == list(face.model.expression.names)
    torch.testing.assert_close(posed, face.vertices(), atol=1e-3, rtol=0)


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
