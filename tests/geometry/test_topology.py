import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.mesh import edges
from morphface.geometry.topology import Topology
from tests.toy import sphere

FAN = torch.tensor([[0, 1, 2], [1, 0, 3], [0, 1, 4]])  # three faces at the edge from 0 to 1


def fans(faces):
    """For each side, the sides at the same edge, found by comparing all with all."""
    ends = torch.stack([faces, faces.roll(-1, dims=1)], dim=-1).reshape(-1, 2).sort(dim=1).values
    same = (ends[:, None] == ends[None]).all(-1)
    return [set(torch.nonzero(row)[:, 0].tolist()) for row in same]


def walked(ring, side):
    """All sides that following `ring` leads to, in a set; it must lead back."""
    found, other = {side}, int(ring[side])
    while other != side:
        assert other not in found
        found.add(other)
        other = int(ring[other])
    return found


@pytest.mark.parametrize("faces", [FAN, sphere(5, 6)[1], sphere(5, 6)[1][::2]])
def test_ring_leads_through_all_faces_of_an_edge_and_back(faces):
    ring = Topology.of(faces).ring.flatten()
    assert [walked(ring, side) for side in range(len(ring))] == fans(faces)


@pytest.mark.parametrize("seed", range(3))
def test_ring_holds_for_random_faces_too(seed):
    rng = torch.Generator().manual_seed(seed)
    order = torch.rand(60, 9, generator=rng).argsort(dim=1)
    faces = order[:, :3]  # of three different vertices each
    ring = Topology.of(faces).ring.flatten()
    assert [walked(ring, side) for side in range(len(ring))] == fans(faces)


def test_edges_are_those_of_the_mesh_each_once():
    _, faces = sphere(6, 7)
    assert torch.equal(Topology.of(faces).edges[:, :2].long(), edges(faces))


def test_an_edge_of_a_closed_mesh_and_each_opposite_vertex_are_a_face():
    _, faces = sphere(6, 7)
    known = {frozenset(face) for face in faces.tolist()}
    table = Topology.of(faces).edges
    assert (table >= 0).all()
    for a, b, c, d in table.tolist():
        assert c != d
        assert {frozenset((a, b, c)), frozenset((a, b, d))} <= known


def test_borders_and_edges_of_more_than_two_faces_have_no_opposite_vertices():
    table = {tuple(row[:2]): row[2:] for row in Topology.of(FAN).edges.tolist()}
    assert table[0, 1] == [-1, -1]
    assert len(table) == 7
    assert set(map(tuple, table.values())) == {(-1, -1)}


def test_faces_that_name_a_vertex_twice_are_nobodys_neighbours():
    topology = Topology.of(torch.tensor([[0, 1, 2], [1, 1, 2], [2, 1, 3]]))
    assert topology.ring.tolist() == [[0, 6, 2], [3, 4, 5], [1, 7, 8]]
    assert len(topology.edges) == 5


def test_a_mesh_without_faces_has_no_edges():
    topology = Topology.of(torch.zeros(0, 3, dtype=torch.int64))
    assert topology.ring.shape == (0, 3)
    assert topology.edges.shape == (0, 4)


@pytest.mark.refusal
def test_faces_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match=r"faces must have shape \(..., any, 3\), got \(2, 4\)"):
        Topology.of(torch.zeros(2, 4, dtype=torch.int64))
    with pytest.raises(ShapeError, match="faces must have 2 axes, got 3"):
        Topology.of(FAN[None])


@pytest.mark.refusal
def test_negative_indices_are_refused():
    with pytest.raises(ParameterError, match="faces must not be negative, got an index of -1"):
        Topology.of(FAN - 1)
