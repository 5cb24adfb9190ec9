import torch

from morphface.geometry.mesh import loop_subdivision, midpoint_subdivision
from morphface.models import LandmarkEmbedding, subdivide_model
from morphface.models.subdivide import refine


def test_a_point_keeps_its_place_when_its_face_is_split(toy, rng):
    corners = toy.faces[torch.randint(len(toy.faces), (300,), generator=rng)]
    weights = torch.rand(300, 3, generator=rng).square()
    coarse = LandmarkEmbedding(
        corners.roll(1, dims=1), weights / weights.sum(-1, keepdim=True), torch.ones(300)
    )
    faces, midpoints = midpoint_subdivision(toy.faces, toy.size)
    fine = refine(coarse, toy.faces, faces)
    vertices = toy.identity.mean
    torch.testing.assert_close(fine.points(midpoints.apply(vertices)), coarse.points(vertices))


def test_coefficients_keep_their_meaning(toy, rng):
    fine = subdivide_model(toy)
    identity, expression = torch.randn(6, generator=rng), torch.rand(4, generator=rng)
    _, weights = loop_subdivision(toy.faces, toy.size)
    want = weights.apply(toy.vertices(identity, expression))
    torch.testing.assert_close(fine.vertices(identity, expression), want, atol=1e-3, rtol=0)
