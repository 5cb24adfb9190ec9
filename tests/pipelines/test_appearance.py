from dataclasses import replace

import pytest
import torch

from morphface.geometry.mesh import vertex_normals
from morphface.pipelines.appearance import bake_texture, head_colours
from morphface.pipelines.head_files import rigged_head
from morphface.render import interpolate, rasterize
from morphface.render.sight import Sight
from morphface.render.unwrap import sample_photo


@pytest.fixture(scope="module")
def sight(known):
    face = known.faces[0]
    return Sight(known.photo.pixels, face.camera, face.vertices_in_camera(), face.model.faces)


@pytest.fixture(scope="module")
def head(known, sight):
    return head_colours(known.faces[0].model, sight)


def trust_of(sight):
    normals = vertex_normals(sight.vertices, sight.faces)
    return sample_photo(sight, sight.vertices, normals)


def test_what_the_photo_shows_well_has_its_colour(known, sight, head):
    model = known.faces[0].model
    seen = trust_of(sight).confidence > 0.9
    error = (head.colours - model.reflectance.mean).abs().amax(-1)
    assert seen.sum() > 400
    assert error[seen].median() < 0.01
    assert error[seen].quantile(0.9) < 0.08  # lashes and lip lines are finer than a pixel


def test_the_hidden_side_continues_as_the_model_would_be(known, sight, head):
    model = known.faces[0].model
    hidden = (trust_of(sight).confidence == 0) & (model.regions["skin"] > 0.5)
    error = (head.colours - model.reflectance.mean).abs().amax(-1)[hidden]
    assert hidden.sum() > 1000
    assert error.median() < 0.03


def test_no_background_gets_onto_the_head(head):
    assert (head.colours[:, 1] <= head.colours[:, 0] + 0.03).all()


def test_the_far_side_is_not_seen_through_the_head(sight):
    behind = sight.vertices[:, 2] < sight.vertices[:, 2].min() + 70
    assert behind.sum() > 100
    assert (trust_of(sight).confidence[behind] == 0).all()


def test_a_face_cut_off_by_the_border_is_sampled_only_inside(sight):
    half = replace(
        sight,
        pixels=sight.pixels[:, :160],
        camera=replace(sight.camera, size=(240, 160)),
    )
    trust = trust_of(half).confidence
    outside = half.camera.project(half.vertices)[:, 0] >= 160
    assert (trust[outside] == 0).all()
    assert (trust[~outside] > 0.9).any()


def test_the_baked_head_looks_like_the_photo(known, sight, head):
    model = known.faces[0].model
    texture = bake_texture(model, sight, head, size=512)
    screen = sight.camera.project(sight.vertices)[None]
    found = rasterize(screen, model.faces, sight.camera.size)
    uv = interpolate(model.uv[None], model.uv_faces, found)
    grid = uv * torch.tensor([2.0, -2.0]) + torch.tensor([-1.0, 1.0])
    seen = torch.nn.functional.grid_sample(
        texture.permute(2, 0, 1)[None], grid, align_corners=False
    )[0].permute(1, 2, 0)
    error = (seen - sight.pixels).abs().mean(-1)[found.mask[0]]
    assert error.median() < 0.01
    assert error.quantile(0.9) < 0.06


def test_a_model_without_texture_coordinates_has_no_texture(known, sight, head):
    plain = replace(known.faces[0].model, uv=None, uv_faces=None)
    assert bake_texture(plain, sight, head) is None


def test_a_model_without_reflectance_gets_colours_too(known, sight):
    model = replace(known.faces[0].model, reflectance=None, regions={})
    colours = head_colours(model, sight).colours
    assert colours.isfinite().all()
    assert (colours[:, 1] <= colours[:, 0] + 0.05).all()


def test_the_rig_at_its_weights_is_the_fitted_head(known):
    face = known.faces[0]
    rig = rigged_head(face, known.photo)
    posed = rig.vertices + sum(rig.weights[name] * rig.targets[name] for name in rig.targets)
    assert rig.weights["jawOpen"] == pytest.approx(0.25)
    assert list(rig.targets) == list(face.model.expression.names)
    torch.testing.assert_close(posed, face.vertices(), atol=1e-3, rtol=0)
