import torch

from morphface.geometry.closest import closest_on_mesh, closest_on_triangle
from tests.toy import sphere


def reached(weights, corners):
    return (weights[..., None] * corners).sum(-2)


def test_no_point_of_the_triangle_is_nearer(rng):
    points, corners = torch.randn(200, 3, generator=rng), torch.randn(200, 3, 3, generator=rng)
    nearest = reached(closest_on_triangle(points, corners), corners)
    tried = torch.rand(500, 1, 3, generator=rng).log().neg()
    others = reached(tried / tried.sum(-1, keepdim=True), corners)
    assert ((nearest - points).norm(dim=-1) <= (others - points).norm(dim=-1) + 1e-5).all()


def test_weights_lie_in_the_triangle(rng):
    weights = closest_on_triangle(
        torch.randn(200, 3, generator=rng) * 3, torch.randn(200, 3, 3, generator=rng)
    )
    torch.testing.assert_close(weights.sum(-1), torch.ones(200))
    assert (weights >= 0).all()


def test_points_inside_and_outside_a_unit_sphere_project_along_the_radius(rng):
    vertices, faces = sphere(40, 60)
    direction = torch.nn.functional.normalize(torch.randn(50, 3, generator=rng), dim=-1)
    face, weights = closest_on_mesh(direction * 1.05, vertices, faces)
    nearest = reached(weights, vertices[faces[face]])
    torch.testing.assert_close(nearest, direction, atol=0.01, rtol=0)


def test_vertices_are_their_own_nearest_points():
    vertices, faces = sphere()
    face, weights = closest_on_mesh(vertices, vertices, faces)
    torch.testing.assert_close(reached(weights, vertices[faces[face]]), vertices)


def test_a_flat_triangle_is_an_edge():
    corners = torch.tensor([[[0.0, 0, 0], [2, 0, 0], [2, 0, 0]]])
    weights = closest_on_triangle(torch.tensor([[1.0, 5, 0]]), corners)
    torch.testing.assert_close(reached(weights, corners), torch.tensor([[1.0, 0, 0]]))
