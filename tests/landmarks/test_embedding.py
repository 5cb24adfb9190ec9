from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import LandmarkError, ShapeError
from morphface.geometry.closest import closest_on_mesh
from morphface.landmarks import embed, measure_embedding, tables
from morphface.landmarks.embedding import _median
from morphface.landmarks.points import Landmarks
from morphface.landmarks.views import view_of, views
from morphface.models import ExpressionBasis, Eye, LinearBasis, MorphableModel, load_model
from morphface.render import interpolate
from tests.data import shared

SKIN_PARTS = (0, 1)  # face, head and neck


def eyeball(vertices, part, names):
    ball = torch.nonzero(torch.isin(part, torch.tensor(names)))[:, 0]
    middle = (vertices[ball].amax(0) + vertices[ball].amin(0)) / 2
    radius = float((vertices[ball].amax(0) - vertices[ball].amin(0))[1] / 2)
    return Eye(ball, middle - vertices[ball].mean(0), radius, 5.85)


def ict_model():
    """The mean of the ICT head in our frame, without colours."""
    with np.load(shared("ict", "ict_facekit.npz")) as file:
        vertices = torch.from_numpy(file["vertices"]) * 10
        faces = torch.from_numpy(file["faces"].astype(np.int64))
        part = torch.from_numpy(file["vertex_part"].astype(np.int64))
        face_part = torch.from_numpy(file["face_part"].astype(np.int64))
    eyes = (eyeball(vertices, part, [7, 8]), eyeball(vertices, part, [9, 10]))
    vertices = vertices - (eyes[0].centre(vertices) + eyes[1].centre(vertices)) / 2
    none = torch.zeros(0, len(vertices), 3)
    model = MorphableModel(
        name="ict",
        identity=LinearBasis(vertices, none),
        expression=ExpressionBasis(none, (), torch.zeros(0, 2)),
        faces=faces,
        eyes=eyes,
    )
    return model, torch.isin(face_part, torch.tensor(SKIN_PARTS))


@pytest.fixture(scope="module")
def open_head(detector):
    model = load_model()
    return model, *measure_embedding(model, detector)


@pytest.mark.slow
def test_on_another_head_it_agrees_with_a_map_made_by_others(detector):
    model, skin = ict_model()
    embedding, spread = measure_embedding(model, detector, skin=skin)
    with np.load(shared("ict", "mediapipe478_to_ict.npz")) as file:
        triangles = torch.from_numpy(file["triangles"].astype(np.int64))
        weights = torch.from_numpy(file["barycentric"])
    vertices = model.identity.mean
    other = (weights[..., None] * vertices[triangles]).sum(1)
    distance = (embedding.points(vertices) - other).norm(dim=-1)
    lips = list(tables.OUTER_LIPS)
    assert distance.median() < 4.0
    assert distance[lips].median() < 3.0
    assert spread.median() < 2.0


def test_landmarks_of_the_open_head_are_the_same_from_all_sides(open_head):
    _, embedding, spread = open_head
    assert spread.median() < 1.5
    assert spread.max() < 8.0
    torch.testing.assert_close(embedding.confidence, 1 / (1 + (spread / 2) ** 2))
    torch.testing.assert_close(embedding.barycentric.sum(-1), torch.ones(478))
    assert (embedding.barycentric >= -1e-5).all()


def test_landmarks_of_a_symmetric_head_are_symmetric(open_head):
    model, embedding, _ = open_head
    points = embedding.points(model.identity.mean)
    other = points[list(tables.MIRROR)] * torch.tensor([-1.0, 1.0, 1.0])
    assert (points - other).norm(dim=-1).median() < 0.5
    assert (points - other).norm(dim=-1).max() < 4.0


def test_irises_lie_on_the_eyeballs_before_their_centres_and_nothing_else_does(open_head):
    model, embedding, _ = open_head
    points = embedding.points(model.identity.mean)
    on_ball = [torch.isin(embedding.triangles, eye.vertices).all(-1) for eye in model.eyes]
    assert set(torch.nonzero(on_ball[0])[:, 0].tolist()) == set(tables.LEFT_IRIS)
    assert set(torch.nonzero(on_ball[1])[:, 0].tolist()) == set(tables.RIGHT_IRIS)
    for eye, iris in zip(model.eyes, (tables.LEFT_IRIS, tables.RIGHT_IRIS), strict=True):
        centre = eye.centre(model.identity.mean)
        offset = points[iris[0]] - centre
        assert offset[:2].norm() < 2.0
        assert offset[2] > 0.5 * eye.radius
        rim = (points[list(iris[1:])] - points[iris[0]]).norm(dim=-1)
        assert (rim / eye.iris_radius - 1).abs().max() < 0.5


def test_detection_on_the_posed_head_lands_on_the_embedding(open_head, detector):
    model, embedding, _ = open_head
    view = view_of(model, 0.25, 0.1)
    (face,) = detector.detect(view.photo)
    there = embedding.points(model.identity.mean) @ view.rotation.mT
    screen = view.camera.project(there + torch.tensor([0.0, 35.0, -700.0]))[:, :2]
    assert (screen - face.points).norm(dim=-1).median() / 2.0 < 2.0  # 2 pixels a millimetre


def test_68_points_are_selected_from_the_478(open_head, detector):
    model, embedding, _ = open_head
    small, _ = measure_embedding(model, detector, "68")
    order = list(tables.MESH_OF_68)
    torch.testing.assert_close(
        small.points(model.identity.mean), embedding.points(model.identity.mean)[order]
    )


@pytest.mark.slow
def test_a_head_without_colours_is_embedded_too(open_head, detector):
    model, embedding, _ = open_head
    plain, _ = measure_embedding(replace(model, reflectance=None), detector)
    vertices = model.identity.mean
    distance = (plain.points(vertices) - embedding.points(vertices)).norm(dim=-1)
    assert distance.median() < 3.0


def test_views_turn_to_the_subjects_left_and_up(open_head):
    model, _, _ = open_head
    nose = model.identity.mean[:, 2].argmax()
    screens = {}
    for name, yaw, pitch in (("ahead", 0, 0), ("left", 0.4, 0), ("up", 0, 0.3)):
        view = view_of(model, yaw, pitch)
        point = model.identity.mean[nose] @ view.rotation.mT + torch.tensor([0.0, 35.0, -700.0])
        screens[name] = view.camera.project(point[None])[0]
    assert screens["left"][0] > screens["ahead"][0] + 20
    assert screens["up"][1] < screens["ahead"][1] - 10
    assert len(list(views(model))) == 15


def test_a_pixel_of_a_view_leads_back_to_the_surface_point_that_it_shows(open_head):
    model, _, _ = open_head
    view = view_of(model, 0.3, -0.2)
    rows, columns = torch.nonzero(view.fragments.mask[0])[::997].T
    depth = view.fragments.depth[0][rows, columns]
    screen = torch.stack([columns + 0.5, rows + 0.5, depth], dim=-1)
    places = interpolate(model.identity.mean[None], model.faces, view.fragments)[0]
    torch.testing.assert_close(view.to_model(screen), places[rows, columns], atol=0.01, rtol=0)


def test_closest_point_agrees_with_a_dense_search(toy, rng):
    vertices = toy.identity.mean
    points = vertices[::20] * 1.1 + torch.randn(len(vertices[::20]), 3, generator=rng) * 5
    face, weights = closest_on_mesh(points, vertices, toy.faces)
    found = (weights[..., None] * vertices[toy.faces[face]]).sum(1)
    grid = torch.cartesian_prod(torch.linspace(0, 1, 21), torch.linspace(0, 1, 21))
    grid = grid[grid.sum(-1) <= 1]
    dense = torch.cat([grid, 1 - grid.sum(-1, keepdim=True)], dim=-1)
    samples = torch.einsum("gk,fkc->fgc", dense, vertices[toy.faces]).flatten(0, 1)
    nearest = torch.cdist(points, samples).amin(-1)
    distance = (found - points).norm(dim=-1)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(points)))
    assert (distance <= nearest + 1e-3).all()
    assert (nearest - distance).max() < 1.0


def test_the_median_ignores_a_wild_view():
    places = torch.zeros(9, 1, 3)
    places[0] = 1000.0
    assert _median(places, torch.ones(9, 1)).norm() < 0.01


class Blind:
    def detect(self, photo):
        return []


class Stray:
    """Sees every landmark in the corner of the picture, where no head is."""

    def detect(self, photo):
        return [Landmarks(torch.full((478, 2), 3.0), "478", torch.ones(478), (0, 0, 1, 1))]


@pytest.mark.refusal
def test_what_cannot_be_embedded_is_refused(toy):
    with pytest.raises(LandmarkError, match="scheme must be 478 or 68 to be embedded, got '5'"):
        embed(toy, Blind(), "5")
    with pytest.raises(LandmarkError, match="saw a face in 0 of 30 pictures of model 'toy'"):
        embed(toy, Blind())
    with pytest.raises(LandmarkError, match="478 landmarks met no surface of model 'toy'"):
        embed(toy, Stray())
    with pytest.raises(ShapeError, match="skin must have shape"):
        embed(toy, Blind(), skin=torch.ones(3, dtype=torch.bool))
