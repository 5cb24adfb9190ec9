"""Relief on a mesh: normals in tangent space, and the maps that show them."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from morphface.core.errors import ModelError, ParameterError, ShapeError
from morphface.geometry.camera import Camera, to_camera
from morphface.geometry.mesh import vertex_normals
from morphface.geometry.tangents import face_steps, texture_tangents
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import Detail, interpolate, rasterize, render_maps
from morphface.render.detail import detail_at, detailed_normals

CAMERA = Camera.facing((96, 96), focal=210.0)
SIZE = 64


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def face():
    vector = FaceParameters.neutral().to_vector()
    vector[0, 3:6] = torch.tensor([0.0, 0.0, -600.0])
    return FaceParameters.from_vector(vector, identity=80, expression=52, reflectance=80)


def tilted(x, y, height=0.5):
    """Relief whose normals lean along u and v everywhere."""
    told = normalize(torch.tensor([x, y, 1.0]), dim=0)
    return Detail(
        torch.full((SIZE, SIZE), height), told.expand(SIZE, SIZE, 3), torch.zeros(SIZE, SIZE)
    )


def test_flat_relief_changes_no_normal(model, face):
    names = ("normal", "shading", "diffuse")
    plain = render_maps(model, face, CAMERA, names)
    flat = render_maps(model, face, CAMERA, names, detail=tilted(0.0, 0.0))
    for name in names:
        torch.testing.assert_close(flat[name], plain[name], atol=2e-3, rtol=0)


def test_leaning_along_v_leans_up_on_the_forehead(model, face):
    plain = render_maps(model, face, CAMERA, ("normal", "mask"))
    up = render_maps(model, face, CAMERA, ("normal",), detail=tilted(0.0, 0.3))["normal"]
    right = render_maps(model, face, CAMERA, ("normal",), detail=tilted(0.3, 0.0))["normal"]
    middle = (0, slice(30, 60), slice(40, 56))
    assert (up - plain["normal"])[(*middle, 1)].median() > 0.1
    assert (right - plain["normal"])[(*middle, 0)].median() > 0.1


def test_height_is_in_millimetres_about_the_middle(model, face):
    shown = render_maps(model, face, CAMERA, ("detail", "mask"), detail=tilted(0, 0, height=0.5))
    there = shown["mask"][..., 0] > 0
    torch.testing.assert_close(
        shown["detail"][there], torch.full((int(there.sum()), 1), 0.5 + 0.5 / 4), atol=1e-5, rtol=0
    )


def test_relief_turns_with_the_head(model, face):
    detail = tilted(0.2, 0.1)
    shape = model.vertices(face.identity, face.expression)
    turn = torch.tensor([[0.1, 0.4, 0.0]])
    found = rasterize(
        CAMERA.project(to_camera(shape, torch.zeros(1, 3), face.translation)), model.faces, (96, 96)
    )

    def normals(vertices):
        plain = interpolate(vertex_normals(vertices, model.faces), model.faces, found)
        return detailed_normals(model, detail, vertices, normalize(plain, dim=-1), found)

    turned = to_camera(shape, turn, face.translation)
    expected = to_camera(normals(shape).flatten(1, 2), turn, torch.zeros(1, 3))
    torch.testing.assert_close(normals(turned).flatten(1, 2), expected, atol=1e-4, rtol=0)


def test_relief_follows_expression_and_identity(model, face):
    opened = face.expression.clone()
    opened[:, model.expression.names.index("jawOpen")] = 0.8
    moved = replace(face, expression=opened, identity=face.identity + 0.5)
    detail = tilted(0.0, 0.3)
    plain, fine = (
        render_maps(model, moved, CAMERA, ("normal", "mask"), detail=d) for d in (None, detail)
    )
    there = plain["mask"][..., 0] > 0
    both = [2 * found["normal"][there] - 1 for found in (plain, fine)]
    cosine = (both[0] * both[1]).sum(-1)
    assert cosine.median() == pytest.approx(1 / (1 + 0.3**2) ** 0.5, abs=0.01)


def test_steps_of_a_face_bring_its_corners_back(model):
    shape, corners = model.identity.mean, model.faces.long()
    steps, area = face_steps(shape, model.faces, model.uv, model.uv_faces)
    flat = model.uv[model.uv_faces.long()]
    across = flat[:, 1] - flat[:, 0]
    moved = (steps @ across[..., None])[..., 0]
    kept = area.abs() > 1e-7
    wanted = shape[corners[:, 1]] - shape[corners[:, 0]]
    torch.testing.assert_close(moved[kept], wanted[kept], atol=1e-3, rtol=1e-3)


def test_a_face_without_area_in_the_texture_has_no_tangent():
    shape, faces = torch.eye(3), torch.tensor([[0, 1, 2]])
    tangents = texture_tangents(shape, faces, torch.zeros(3, 2), faces)
    assert torch.equal(tangents, torch.tensor([[0.0, 0.0, 0.0, 1.0]]).expand(3, 4))


@pytest.mark.refusal
def test_the_map_of_detail_needs_relief(model, face):
    with pytest.raises(ParameterError, match="map 'detail' needs relief; find it with fit_detail"):
        render_maps(model, face, CAMERA, ("detail",))


@pytest.mark.refusal
def test_relief_needs_texture_coordinates(model):
    bare = replace(model, uv=None, uv_faces=None)
    found = rasterize(torch.rand(1, model.size, 3) + 1, model.faces, (8, 8))
    with pytest.raises(ModelError, match="detail needs texture coordinates, and model 'open-head'"):
        detail_at(bare, torch.zeros(4, 4, 1), found)


@pytest.mark.refusal
def test_maps_of_relief_have_one_size_and_no_holes():
    with pytest.raises(ShapeError, match="normals must have shape"):
        Detail(torch.zeros(4, 4), torch.zeros(3, 4, 3), torch.zeros(4, 4))
    with pytest.raises(ParameterError, match="displacement must be finite"):
        Detail(torch.full((4, 4), torch.nan), torch.zeros(4, 4, 3), torch.zeros(4, 4))
