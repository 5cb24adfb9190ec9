"""Interpolation in numba against that in plain torch, its gradients, and what it refuses."""

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.render import Fragments, interpolate, rasterize
from morphface.render.backends import threads
from tests.render.contract import HALVES, SQUARE, soup

SIZE = (30, 26)


@pytest.fixture
def scene(rng):
    screen, faces = soup(rng, 40, 30, batch=3)
    return screen.double(), faces


def plain(attributes, faces, fragments):
    """Weights times corners, pixel by pixel."""
    batch = torch.arange(len(fragments.face))[:, None, None]
    rows = attributes.expand(len(fragments.face), -1, -1)
    corners = rows[batch[..., None], faces.long()[fragments.face.clamp(min=0)]]
    blended = (fragments.barycentric[..., None] * corners).sum(-2)
    return blended * fragments.mask[..., None]


def random(rng, *shape, dtype=torch.float64):
    return torch.randn(*shape, generator=rng, dtype=dtype)


@pytest.mark.parametrize("channels", [0, 1, 2, 3, 17])
@pytest.mark.parametrize("images", [1, 3])
def test_values_and_gradients_are_those_of_plain_torch(rng, scene, channels, images):
    screen, faces = scene
    attributes = random(rng, images, screen.shape[1], channels)
    results = []
    for blend in (interpolate, plain):
        leaves = attributes.clone().requires_grad_(), screen.clone().requires_grad_()
        image = blend(leaves[0], faces, rasterize(leaves[1], faces, SIZE))
        given = torch.randn(image.shape, generator=torch.Generator().manual_seed(1)).double()
        results.append((image, *torch.autograd.grad(image, leaves, given)))
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want)
    assert results[0][0].any() or not channels


def test_gradients_match_central_differences(rng, scene):
    screen, faces = scene
    fragments = rasterize(screen, faces, (7, 9))

    def image(attributes, weights):
        return interpolate(attributes, faces, Fragments(fragments.face, weights, fragments.depth))

    for images in (1, 3):
        attributes = random(rng, images, screen.shape[1], 2).requires_grad_()
        weights = fragments.barycentric.clone().requires_grad_()
        assert torch.autograd.gradcheck(
            lambda a, w: image(a, w)[fragments.mask], (attributes, weights), fast_mode=True
        )


@pytest.mark.parametrize("wants", [(True, False), (False, True), (True, True)])
def test_each_gradient_alone_is_the_same(rng, scene, wants):
    screen, faces = scene
    given = random(rng, 3, *SIZE, 2)
    attributes, weights = random(rng, 1, 120, 2), rasterize(screen, faces, SIZE).barycentric
    found = rasterize(screen, faces, SIZE)
    results = []
    for flags in (wants, (True, True)):
        leaves = [
            t.clone().requires_grad_(f) for t, f in zip((attributes, weights), flags, strict=True)
        ]
        image = interpolate(leaves[0], faces, Fragments(found.face, leaves[1], found.depth))
        image.backward(given)
        results.append([leaf.grad for leaf in leaves])
    for got, want, flag in zip(*results, wants, strict=True):
        assert (got is None) != flag
        assert got is None or torch.equal(got, want)


def test_precisions_are_promoted_and_gradients_returned_in_their_own(rng, scene):
    screen, faces = scene
    attributes = random(rng, 1, 120, 3, dtype=torch.float32).requires_grad_()
    found = rasterize(screen, faces, SIZE)
    image = interpolate(attributes, faces, found)
    assert image.dtype == torch.float64
    image.sum().backward()
    assert attributes.grad.dtype == torch.float32


def test_strided_views_and_narrow_integers_give_the_same(rng, scene):
    screen, faces = scene
    found = rasterize(screen, faces, SIZE)
    attributes = random(rng, 3, 120, 3)
    strided = torch.stack([attributes, attributes], dim=-1)[..., 0]
    turned = Fragments(found.face.mT.contiguous().mT, found.barycentric, found.depth)
    want = interpolate(attributes, faces, found)
    assert torch.equal(interpolate(strided, faces.int(), turned), want)


def test_nothing_is_copied_on_the_way_in(rng, monkeypatch):
    screen, faces = soup(rng, 40, 30)
    found = rasterize(screen, faces, SIZE)
    attributes = random(rng, 1, 120, 3, dtype=torch.float32)
    seen = []
    monkeypatch.setattr(threads, "run", lambda kernel, tasks, *arrays: seen.extend(arrays))
    interpolate(attributes, faces, found)
    given = attributes, faces, found.face, found.barycentric
    assert [a.ctypes.data for a in seen[:4]] == [t.data_ptr() for t in given]


def test_an_empty_batch_and_an_empty_mesh_are_blank(rng):
    none = rasterize(SQUARE[:0], HALVES, (8, 8))
    assert interpolate(torch.ones(1, 4, 2), HALVES, none).shape == (0, 8, 8, 2)
    blank = rasterize(SQUARE, HALVES[:0], (8, 8))
    attributes = torch.ones(1, 4, 2, requires_grad=True)
    image = interpolate(attributes, HALVES[:0], blank)
    image.sum().backward()
    assert not image.any()
    assert not attributes.grad.any()


@pytest.mark.refusal
def test_a_face_without_a_row_is_refused():
    found = rasterize(SQUARE, HALVES, (8, 8))
    with pytest.raises(ParameterError, match="the 4 rows of attributes .* face 1 of 1 has none"):
        interpolate(torch.ones(1, 4, 2), HALVES[:1], found)


@pytest.mark.refusal
@pytest.mark.parametrize("corner", [-1, 4])
def test_a_corner_without_an_attribute_is_refused(corner):
    found = rasterize(SQUARE, HALVES, (8, 8))
    faces = torch.tensor([[0, 1, corner], [3, 2, 1]])
    with pytest.raises(ParameterError, match="the 4 rows of attributes .* face 0 of 2 has none"):
        interpolate(torch.ones(1, 4, 2), faces, found)
