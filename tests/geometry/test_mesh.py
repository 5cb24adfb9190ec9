import time

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.mesh import (
    edges,
    face_normals,
    loop_subdivision,
    midpoint_subdivision,
    normalized,
    vertex_normals,
)
from tests.toy import sphere

OCTAHEDRON = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
EIGHT = torch.tensor(
    [[4, 0, 2], [4, 2, 1], [4, 1, 3], [4, 3, 0], [5, 2, 0], [5, 1, 2], [5, 3, 1], [5, 0, 3]]
)


def grid(side=7):
    """A flat square of `side` x `side` vertices, seen from +z."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    points = torch.stack([x, y, 0 * x], dim=-1).reshape(-1, 3).float()
    corner = (torch.arange(side - 1)[:, None] * side + torch.arange(side - 1)).reshape(-1)
    lower = torch.stack([corner, corner + 1, corner + side], dim=1)
    upper = torch.stack([corner + side + 1, corner + side, corner + 1], dim=1)
    return points, torch.cat([lower, upper])


def volume(vertices, faces):
    a, b, c = vertices[faces].unbind(1)
    return (torch.linalg.cross(a, b) * c).sum() / 6


def test_normals_of_a_sphere_point_away_from_its_centre():
    vertices, faces = sphere(40, 60)
    assert ((vertex_normals(vertices, faces) * vertices).sum(-1) > 0.999).all()


def test_normals_of_a_tetrahedron_are_those_of_its_planes():
    vertices = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    third = 3**-0.5
    want = torch.tensor([[0.0, 0, -1], [0, -1, 0], [-1, 0, 0], [third, third, third]])
    torch.testing.assert_close(face_normals(vertices, faces), want)


def test_larger_faces_weigh_more():
    vertices = torch.tensor([[0.0, 0, 0], [3, 0, 0], [0, 3, 0], [0, 0, 1], [-1, 0, 0]])
    faces = torch.tensor([[0, 1, 2], [0, 4, 3]])  # areas 4.5 and 0.5, along +z and +y
    want = torch.tensor([0.0, 1.0, 9.0])
    torch.testing.assert_close(vertex_normals(vertices, faces)[0], want / want.norm())


def test_normals_turn_with_the_mesh_and_ignore_its_batch_and_place(rng):
    vertices, faces = sphere()
    turn = torch.linalg.qr(torch.randn(3, 3, generator=rng)).Q
    turn = turn * torch.linalg.det(turn)
    turned = vertices @ turn.T + 50
    normals = vertex_normals(torch.stack([vertices, turned]), faces)
    torch.testing.assert_close(normals[1], normals[0] @ turn.T, atol=1e-4, rtol=0)


def test_degenerate_faces_leave_normals_and_gradients_finite():
    vertices = torch.zeros(2, 4, 3, requires_grad=True)
    faces = torch.tensor([[0, 1, 2], [0, 0, 1]])
    normals = vertex_normals(vertices, faces)
    normals.sum().backward()
    assert (normals == 0).all()
    assert vertices.grad.isfinite().all()


@pytest.mark.parametrize("normals", [vertex_normals, face_normals])
def test_gradients_of_normals_are_those_of_central_differences(normals):
    vertices, faces = sphere(6, 8)
    bent = (vertices * torch.tensor([1.0, 1.3, 0.8]) + 0.1 * vertices.roll(1, 1) ** 2).double()
    with_empty = torch.cat([faces, torch.tensor([[0, 0, 1]])])  # a face without area
    batch = torch.stack([bent, bent.flip(-1)]).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: normals(v, with_empty), batch)


@pytest.mark.parametrize("exponent", [-150, -36, -17, 0, 19, 150])
def test_vectors_of_any_length_have_unit_length_and_finite_gradients(exponent):
    dtype = torch.float64 if abs(exponent) > 37 else torch.float32
    vectors = torch.tensor([[3.0, 0, 4]], dtype=dtype) * 10.0**exponent
    unit = normalized(vectors.requires_grad_())
    unit[0, 0].backward()
    want = torch.tensor([[0.6, 0, 0.8]], dtype=dtype) * (exponent > -18)
    torch.testing.assert_close(unit, want)
    slope = torch.tensor([[0.64, 0, -0.48]], dtype=dtype) * (exponent > -18)
    torch.testing.assert_close(vectors.grad * 5 * 10.0**exponent, slope)


def test_a_closed_mesh_has_three_edges_for_every_two_faces():
    pairs = edges(EIGHT)
    assert len(pairs) == 12
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert not any(sorted(pair) in ([0, 1], [2, 3], [4, 5]) for pair in pairs.tolist())


@pytest.mark.parametrize("subdivide", [loop_subdivision, midpoint_subdivision])
def test_subdivision_keeps_a_closed_surface_closed_and_its_orientation(subdivide):
    faces, weights = subdivide(EIGHT, 6)
    vertices = weights.apply(OCTAHEDRON)
    assert (len(vertices), len(faces), len(edges(faces))) == (18, 32, 48)
    ends = torch.stack([faces, faces.roll(-1, 1)], -1).reshape(-1, 2)
    assert len(torch.unique(ends, dim=0)) == len(ends)  # each direction of an edge once
    assert 0 < volume(vertices, faces) <= volume(OCTAHEDRON, EIGHT) + 1e-6


def test_loop_weights_of_an_octahedron_are_those_of_the_paper():
    vertices = loop_subdivision(EIGHT, 6)[1].apply(OCTAHEDRON)
    torch.testing.assert_close(vertices[:6], OCTAHEDRON * (1 - 4 * 3 / 32))  # valence 4
    assert torch.allclose(vertices[6:].norm(dim=-1), torch.tensor(3 / 8 * 2**0.5))


def test_loop_subdivision_is_affine_and_leaves_the_inside_of_a_regular_plane(rng):
    points, faces = grid()
    linear = points[:, :2] @ torch.randn(2, 1, generator=rng) + 3
    finer, weights = loop_subdivision(faces, len(points))
    torch.testing.assert_close(weights.matrix.to_dense().sum(1), torch.ones(len(finer) // 2 + 25))
    plane, value = weights.apply(points), weights.apply(linear)
    solved = torch.linalg.lstsq(torch.cat([plane[:, :2], torch.ones(len(plane), 1)], 1), value)
    assert solved.solution[2, 0] == pytest.approx(3, abs=1e-4)
    inner = (points[:, :2] > 0).all(1) & (points[:, :2] < 6).all(1)
    torch.testing.assert_close(plane[: len(points)][inner], points[inner])


def test_smooth_boundaries_follow_the_cubic_spline_and_linear_ones_stay():
    points, faces = grid()
    bent = points.clone()
    bent[:7, 1] = torch.tensor([0.0, 0, 0, -1, 0, 0, 0])  # the lower side, a boundary
    smooth = loop_subdivision(faces, 49)[1].apply(bent)
    fixed = loop_subdivision(faces, 49, boundary="linear")[1].apply(bent)
    torch.testing.assert_close(smooth[2:5, 1], torch.tensor([-1 / 8, -3 / 4, -1 / 8]))
    torch.testing.assert_close(fixed[:7], bent[:7])


def test_both_subdivisions_share_one_order_so_that_seams_stay_aligned():
    points, faces = grid()
    uv_faces = faces.flip(0)
    back = loop_subdivision(uv_faces, 49)[0].reshape(-1, 4, 3).flip(0).reshape(-1, 3)
    same = midpoint_subdivision(faces, 49)[0]
    centres = midpoint_subdivision(faces, 49)[1].apply(points)
    assert torch.equal(same, loop_subdivision(faces, 49)[0])
    torch.testing.assert_close(
        midpoint_subdivision(uv_faces, 49)[1].apply(points)[back], centres[same]
    )
    parents = points[faces].mean(1)
    torch.testing.assert_close(centres[same].mean(1).reshape(-1, 4, 3).mean(1), parents)


def test_directions_are_upsampled_like_positions(rng):
    vertices, faces = sphere()
    directions = torch.randn(5, len(vertices), 3, generator=rng)
    weights = loop_subdivision(faces, len(vertices))[1]
    moved = weights.apply(vertices + directions)
    torch.testing.assert_close(moved, weights.apply(vertices) + weights.apply(directions))


def test_vertices_without_faces_stay():
    faces, weights = loop_subdivision(torch.tensor([[0, 1, 2]]), 4)
    points = torch.eye(4)
    torch.testing.assert_close(weights.apply(points)[3], points[3])
    assert faces.max() == 6


@pytest.mark.slow
def test_a_whole_model_is_upsampled_within_a_second():
    vertices, faces = sphere(60, 84)
    start = time.perf_counter()
    weights = loop_subdivision(faces, len(vertices))[1]
    weights.apply(torch.ones(212, len(vertices), 3))
    assert time.perf_counter() - start < 5  # measured 0.3; the bound is for busy machines


@pytest.mark.refusal
def test_index_without_a_vertex_is_refused():
    with pytest.raises(ParameterError, match="index 5 vertices, got indices from 0 to 5"):
        loop_subdivision(EIGHT, 5)
    with pytest.raises(ParameterError, match="index 5 vertices, got indices from 0 to 5"):
        midpoint_subdivision(EIGHT, 5)


@pytest.mark.refusal
def test_unknown_boundary_rule_is_refused():
    with pytest.raises(ParameterError, match="must be 'smooth' or 'linear', got 'round'"):
        loop_subdivision(EIGHT, 6, boundary="round")


@pytest.mark.refusal
def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"vertices must have shape \(..., any, 3\)"):
        vertex_normals(OCTAHEDRON[:, :2], EIGHT)
    with pytest.raises(ShapeError, match=r"values must have shape \(..., 6, any\)"):
        loop_subdivision(EIGHT, 6)[1].apply(OCTAHEDRON[:5])
