"""Signed distance to closed, open and overlapping meshes, against balls and brute force."""

import pytest
import torch
import trimesh

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.closest import closest_on_mesh
from morphface.render.distance import SignedDistance


def ball(subdivisions=4, radius=1.0, centre=(0.0, 0.0, 0.0)):
    made = trimesh.creation.icosphere(subdivisions, radius)
    vertices = torch.from_numpy(made.vertices).float() + torch.tensor(centre)
    return vertices, torch.from_numpy(made.faces).long()


def around(rng, count=4000, side=2.0):
    return (torch.rand(count, 3, generator=rng) - 0.5) * 2 * side


def test_distance_to_a_ball_is_that_to_the_sphere(rng):
    points = around(rng)
    found = SignedDistance(*ball()).at(points).distance
    wanted = points.norm(dim=-1) - 1
    assert (found - wanted).abs().max() < 3e-3  # by so much the faces lie within the sphere


def test_winding_is_one_inside_and_zero_outside(rng):
    points = around(rng)
    winding = SignedDistance(*ball()).at(points).winding
    clear = (points.norm(dim=-1) - 1).abs() > 0.01
    inside = points.norm(dim=-1) < 1
    assert (winding[clear] - inside[clear].float()).abs().max() < 0.03


def test_the_nearest_place_is_that_of_brute_force(rng):
    vertices, faces = ball(2)
    points = around(rng, 500)
    found = SignedDistance(vertices, faces).at(points)
    face, weights = closest_on_mesh(points, vertices, faces, candidates=len(faces))
    wanted = (vertices[faces[face]] * weights[..., None]).sum(1)
    torch.testing.assert_close(found.carried(vertices), wanted, atol=1e-5, rtol=0)


def test_balls_within_each_other_are_their_union(rng):
    (one, faces), (other, _) = ball(), ball(centre=(0.8, 0.0, 0.0))
    both = SignedDistance(torch.cat([one, other]), torch.cat([faces, faces + len(one)]))
    points = around(rng)
    first, second = points.norm(dim=-1) - 1, (points - torch.tensor([0.8, 0, 0])).norm(dim=-1) - 1
    clear = torch.minimum(first.abs(), second.abs()) > 0.01
    inside = both.at(points).distance < 0
    assert torch.equal(inside[clear], (torch.minimum(first, second) < 0)[clear])


def test_a_hole_is_closed_where_the_mesh_winds_half_around():
    vertices, faces = ball()
    open_ = faces[(vertices[faces][..., 1] > -0.8).any(-1)]  # as a neck is cut
    assert 0 < len(faces) - len(open_) < 0.2 * len(faces)
    found = SignedDistance(vertices, open_)
    height = torch.tensor([0.0, -0.6, -0.75, -0.9, -1.2])
    points = torch.stack([torch.zeros(5), height, torch.zeros(5)], -1)
    assert (found.at(points).distance < 0).tolist() == [True, True, True, False, False]


def test_far_groups_change_no_side(rng, monkeypatch):
    from morphface.render.distance import signed

    mesh, points = SignedDistance(*ball(3)), around(rng, 1000)
    quick = mesh.at(points)
    monkeypatch.setattr(signed, "FAR", 1e9)
    exact = mesh.at(points)
    assert (quick.winding - exact.winding).abs().max() < 0.03
    assert torch.equal(quick.distance, exact.distance)


def test_an_odd_number_of_faces_fills_no_group_twice(rng):
    vertices, faces = ball(1)
    mesh = SignedDistance(vertices, faces[:-1])
    alone = SignedDistance(vertices, faces[-1:])
    points = around(rng, 200)
    total = mesh.at(points).winding + alone.at(points).winding
    torch.testing.assert_close(
        total, SignedDistance(vertices, faces).at(points).winding, atol=0.03, rtol=0
    )


@pytest.mark.refusal
def test_a_mesh_without_faces_is_refused():
    with pytest.raises(ParameterError, match=r"faces must be one or more, got none"):
        SignedDistance(torch.zeros(3, 3), torch.zeros(0, 3, dtype=torch.long))


@pytest.mark.refusal
def test_points_on_a_plane_are_refused():
    with pytest.raises(ShapeError, match=r"points must have shape"):
        SignedDistance(*ball(0)).at(torch.zeros(4, 2))
