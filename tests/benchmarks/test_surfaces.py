import numpy as np
import pytest
import roma
import torch

from benchmarks.surfaces import (
    Similarity,
    Surface,
    brought_together,
    distances,
    register,
    register_scaled,
)
from morphface.geometry.closest import closest_on_mesh


def hills(count=40):
    """A bumpy sheet of 100 mm, whose relief fixes every motion."""
    x, y = np.meshgrid(*[np.linspace(-50, 50, count)] * 2, indexing="ij")
    z = 9 * np.sin(x / 13) + 7 * np.cos(y / 11 + 1) + x * y / 150
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    faces = [[corner, corner + count, corner + 1], [corner + 1, corner + count, corner + count + 1]]
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    return vertices, np.concatenate([np.stack(f, axis=1) for f in faces])


def similarity(scale, seed=0, angle=0.15):
    rng = np.random.default_rng(seed)
    turn = roma.rotvec_to_rotmat(torch.from_numpy(rng.normal(size=3) * angle)).numpy()
    return Similarity(scale, turn, rng.normal(size=3) * 4)


def inner(vertices):
    return vertices[(np.abs(vertices[:, :2]) < 35).all(1)] + [0.7, -0.4, 0.0]


@pytest.fixture
def sheet():
    vertices, faces = hills()
    surface = Surface(vertices, faces)
    points = surface.nearest(inner(vertices))[0]
    return surface, points


def test_nearest_points_are_those_of_the_product(sheet):
    surface, _ = sheet
    points = np.random.default_rng(1).normal(size=(300, 3)) * 30
    given = (torch.from_numpy(x) for x in (points, surface.vertices, surface.faces))
    face, weight = closest_on_mesh(*given, candidates=12)
    corners = surface.vertices[surface.faces[face.numpy()]]
    expected = (weight.numpy()[..., None] * corners).sum(1)
    reached = np.linalg.norm(surface.nearest(points)[0] - points, axis=1)
    np.testing.assert_allclose(reached, np.linalg.norm(expected - points, axis=1), atol=1e-9)


def test_points_that_were_moved_find_back(sheet):
    surface, points = sheet
    moved = similarity(1.0).apply(points)
    pose = register(moved, surface, Similarity.identity())
    assert distances(moved, surface, pose).max() < 0.01
    assert np.linalg.norm(pose.apply(moved) - points, axis=1).max() < 0.05


def test_the_scale_is_kept_where_it_is_given_and_found_where_it_is_free(sheet):
    surface, points = sheet
    shrunk = similarity(0.96).apply(points)
    assert register(shrunk, surface, Similarity.identity()).scale == 1.0
    pose = register_scaled(shrunk, surface, Similarity.identity())
    assert pose.scale == pytest.approx(1 / 0.96, rel=1e-4)
    assert np.linalg.norm(pose.apply(shrunk) - points, axis=1).max() < 0.1


def test_no_other_similarity_has_smaller_squared_distances(sheet):
    surface, points = sheet
    rng = np.random.default_rng(3)
    noisy = points + rng.normal(size=points.shape) * 2
    pose = register_scaled(noisy, surface, Similarity.identity())
    best = np.square(distances(noisy, surface, pose)).mean()
    for axis in range(7):
        for sign in (-1, 1):
            step = np.zeros(7)
            step[axis] = sign * (1.0 if 3 <= axis < 6 else 0.02)
            other = np.square(distances(noisy, surface, pose.moved(step))).mean()
            assert other > best


@pytest.mark.parametrize("align", [register, register_scaled])
def test_an_alignment_that_is_begun_again_stays(sheet, align):
    surface, points = sheet
    noisy = points + np.random.default_rng(3).normal(size=points.shape) * 2
    noisy = similarity(1.0, angle=0.2).apply(noisy)
    pose = align(noisy, surface, Similarity.identity())
    again = align(noisy, surface, pose)
    assert np.linalg.norm(again.apply(noisy) - pose.apply(noisy), axis=1).max() < 0.05


def test_points_are_brought_to_their_targets_with_or_without_scale():
    points = np.random.default_rng(0).normal(size=(20, 3)) * 40
    targets = similarity(1.3).apply(points)
    np.testing.assert_allclose(brought_together(points, targets).apply(points), targets, atol=1e-9)
    rigid = brought_together(points, targets, scaled=False)
    assert rigid.scale == 1.0
    np.testing.assert_allclose(rigid.rotation, similarity(1.3).rotation, atol=1e-9)


def test_distances_are_in_the_unit_of_the_points(sheet):
    surface, points = sheet
    shifted = Similarity(2.0, np.eye(3), np.zeros(3)).apply(surface.vertices)
    large = Surface(shifted, surface.faces)
    lifted = points + [0.0, 0.0, 1.0]
    pose = Similarity(2.0, np.eye(3), np.zeros(3))
    identity = Similarity.identity()
    np.testing.assert_allclose(
        distances(lifted, large, pose), distances(lifted, surface, identity), atol=1e-9
    )
