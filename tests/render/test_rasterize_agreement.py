"""Every backend against `reference`, and laws that hold on any mesh."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from morphface.render import Fragments, interpolate, rasterize
from tests.render.contract import assert_agree, soup

SIDE = 20
QUICK = settings(max_examples=25, deadline=None, derandomize=True, database=None)


def check(rival, screen, faces, size, *, flips=1e-3, **options):
    want = rasterize(screen, faces, size, backend="reference", **options)
    assert_agree(rival(screen, faces, size, **options), want, flips)


@pytest.mark.parametrize("size", [(48, 48), (1, 1), (37, 61), (61, 37), (11, 150)])
@pytest.mark.parametrize("perspective", [True, False])
def test_agrees_with_reference(rng, rival, size, perspective):
    screen, faces = soup(rng, 150, max(size))
    check(rival, screen, faces, size, perspective=perspective)


def test_agrees_with_reference_on_many_small_faces(rng, rival):
    screen, faces = soup(rng, 2000, 36)
    small = screen.reshape(1, -1, 3, 3)
    centre = small.mean(dim=2, keepdim=True)
    screen = (centre + (small - centre) * torch.tensor([0.2, 0.2, 1.0])).reshape(1, -1, 3)
    check(rival, screen, faces, (36, 36))


def test_agrees_with_reference_on_many_large_faces(rng, rival):
    screen = torch.rand(1, 600, 3, generator=rng) * torch.tensor([140.0, 140, 300])
    screen = screen + torch.tensor([-20.0, -20, 200])
    check(rival, screen, torch.arange(600).reshape(200, 3), (64, 64))


def test_agrees_with_reference_on_coordinates_that_hit_pixel_centres(rng, rival):
    screen, faces = soup(rng, 500, 32)
    screen[..., :2] = (screen[..., :2] * 2).round() / 2
    check(rival, screen, faces, (32, 32), flips=2e-3)


@st.composite
def meshes(draw):
    """Vertices on a grid of quarter pixels, some off the screen, and faces that share them.

    On such a grid every product that decides what a pixel sees is exact in either precision. No
    two faces coincide, as rounding would decide between them.
    """
    count = draw(st.integers(3, 14))
    place = st.integers(-4 * SIDE // 2, 4 * SIDE * 3 // 2)
    depth = st.integers(200, 800)
    row, sizes = st.tuples(place, place, depth), {"min_size": count, "max_size": count}
    rows = draw(st.lists(row, **sizes, unique_by=lambda row: row[:2]))
    screen = torch.tensor(rows) / torch.tensor([4.0, 4.0, 1.0])
    index = st.integers(0, count - 1)
    face = st.tuples(index, index, index)
    faces = draw(st.lists(face, min_size=1, max_size=12, unique_by=frozenset))
    return screen[None], torch.tensor(faces)


def drawn(screen, faces, **options) -> Fragments:
    return rasterize(screen, faces, (SIDE, SIDE), **options)


@QUICK
@given(meshes(), st.booleans(), st.booleans())
def test_any_mesh_looks_as_reference_says(mesh, perspective, cull):
    options = {"perspective": perspective, "cull": cull}
    assert_agree(drawn(*mesh, **options), drawn(*mesh, **options, backend="reference"), 5e-3)


@QUICK
@given(meshes())
def test_weights_say_where_the_pixel_is_and_depth_lies_within_its_face(mesh):
    screen, faces = mesh
    fragments = drawn(screen.double(), faces)
    mask, z = fragments.mask, screen.double()[..., 2:]
    assert (fragments.barycentric >= 0).all()
    torch.testing.assert_close(fragments.barycentric.sum(-1), mask.double())
    points = interpolate(torch.cat([screen[..., :2] * z, z], dim=-1), faces, fragments)
    row, column = torch.nonzero(mask[0]).unbind(1)
    centres = torch.stack([column, row], dim=-1) + 0.5
    torch.testing.assert_close(points[mask][:, :2] / points[mask][:, 2:], centres.double())
    corners = z[0, faces[fragments.face[mask]], 0]
    assert (fragments.depth[mask] >= corners.amin(1) * (1 - 1e-12)).all()
    assert (fragments.depth[mask] <= corners.amax(1) * (1 + 1e-12)).all()


@QUICK
@given(meshes(), st.integers(-SIDE, SIDE), st.integers(-SIDE, SIDE))
def test_a_shift_by_whole_pixels_shifts_the_image(mesh, right, down):
    screen, faces = mesh
    one, other = drawn(screen, faces), drawn(screen + torch.tensor([right, down, 0]), faces)
    rows, columns = (
        slice(max(down, 0), SIDE + min(down, 0)),
        slice(max(right, 0), SIDE + min(right, 0)),
    )
    back = slice(max(-down, 0), SIDE - max(down, 0)), slice(max(-right, 0), SIDE - max(right, 0))
    assert torch.equal(other.face[0, rows, columns], one.face[0][back])
    torch.testing.assert_close(other.depth[0, rows, columns], one.depth[0][back])


@QUICK
@given(meshes(), st.integers(1, 2))
def test_turning_the_corners_of_a_face_turns_its_weights(mesh, turn):
    screen, faces = mesh
    one, other = drawn(screen, faces), drawn(screen, faces.roll(turn, dims=1))
    assert torch.equal(one.face, other.face)
    torch.testing.assert_close(one.barycentric.roll(turn, dims=-1), other.barycentric)


@QUICK
@given(meshes(), st.randoms(use_true_random=False))
def test_the_order_of_vertices_does_not_matter(mesh, random):
    screen, faces = mesh
    order = list(range(screen.shape[1]))
    random.shuffle(order)
    rank = torch.tensor(order).argsort()
    one, other = drawn(screen, faces), drawn(screen[:, order], rank[faces])
    assert torch.equal(one.face, other.face)
    assert torch.equal(one.barycentric, other.barycentric)


@QUICK
@given(meshes(), st.booleans())
def test_gradients_are_finite_and_those_of_reference(mesh, perspective):
    screen, faces = mesh
    grads = []
    for backend in ("cpu", "reference"):
        leaf = screen.double().requires_grad_()
        found = drawn(leaf, faces, backend=backend, perspective=perspective)
        loss = found.barycentric[..., :2].square().sum() + found.depth[found.mask].sum()
        grads.append(torch.autograd.grad(loss, leaf)[0])
    assert grads[0].isfinite().all()
    torch.testing.assert_close(*grads, rtol=1e-8, atol=1e-8)
