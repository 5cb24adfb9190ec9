"""A mesh with halved edges is the same surface."""

from dataclasses import replace

import pytest
import torch

from morphface.geometry.mesh import midpoint_subdivision
from morphface.models import FineMesh, LinearBasis, fine_mesh, load_model


@pytest.fixture
def halved(toy) -> FineMesh:
    """The toy's mesh, its edges halved twice."""
    mean = toy.identity.mean
    ends = toy.faces[:, :2].long()
    longest = float((mean[ends[:, 0]] - mean[ends[:, 1]]).norm(dim=1).median())
    larger = LinearBasis(mean * 6 / longest, toy.identity.directions)
    mesh = fine_mesh(replace(toy, identity=larger))
    assert len(mesh.levels) == 2
    return mesh


def test_its_faces_and_vertices_are_those_of_two_midpoint_subdivisions(toy, halved):
    faces, first = midpoint_subdivision(toy.faces, toy.size)
    faces, second = midpoint_subdivision(faces, first.matrix.shape[0])
    assert torch.equal(halved.faces, faces)
    mean = toy.identity.mean
    torch.testing.assert_close(halved.spread(mean), second.apply(first.apply(mean)))
    assert len(halved.spread(mean)) == halved.size


def test_a_point_of_the_model_stays_where_it_is(toy, halved, rng):
    face = torch.randint(len(toy.faces), (20, 30), generator=rng)
    weights = torch.rand(20, 30, 3, generator=rng).square()
    weights = weights / weights.sum(-1, keepdim=True)
    mean = toy.identity.mean
    there, inside = halved.locate(face, weights)
    assert inside.min() > -1e-5
    torch.testing.assert_close(
        (halved.spread(mean)[halved.faces[there]] * inside[..., None]).sum(-2),
        (mean[toy.faces[face]] * weights[..., None]).sum(-2),
    )


def test_no_face_is_no_face(halved):
    nowhere, zero = torch.tensor([-1]), torch.zeros(1, 3)
    face, weights = halved.locate(nowhere, zero)
    assert torch.equal(face, nowhere)
    assert torch.equal(weights, zero)


def test_the_open_head_gets_room_for_brows_and_a_finer_mesh_needs_less(toy):
    model = load_model()
    assert len(fine_mesh(model).levels) == 2
    small = LinearBasis(toy.identity.mean * 0.01, toy.identity.directions)
    mesh = fine_mesh(replace(toy, identity=small))
    assert mesh.levels == ()
    assert torch.equal(mesh.faces, toy.faces)
