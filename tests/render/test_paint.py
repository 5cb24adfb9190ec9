"""Pictures in one go are those of three operations, and so are their gradients."""

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.geometry.topology import Topology
from morphface.render import antialias, interpolate, paint, rasterize
from tests.render.test_antialias import ball
from tests.render.test_rasterize import soup

SIZE = (40, 48)


def apart(colours, screen, faces, size, *, perspective=True, smooth=True, covered=False, **_):
    """As `paint`, one operation after the other."""
    found = rasterize(screen, faces, size, perspective=perspective)
    image = interpolate(colours, faces, found)
    if covered:
        image = torch.cat([image, found.mask[..., None].to(image.dtype)], dim=-1)
    if smooth:
        image = antialias(image, screen, faces, found, perspective=perspective)
    return image, found


@pytest.fixture(params=["soup", "ball"])
def scene(request, rng):
    """Positions and faces; a soup hides itself, a ball has faces of all sizes of pixels."""
    if request.param == "soup":
        screen, faces = soup(rng, 60, 40, batch=2)
        return screen.double(), faces
    screen, faces = ball(40)
    return torch.cat([screen, screen * 0.9 + 2]).double(), faces


def given(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def gradients(call, colours, screen, faces, upstream, **options):
    leaves = [value.clone().requires_grad_() for value in (colours, screen)]
    image, found = call(*leaves, faces, SIZE, **options)
    outputs = (image, found.barycentric, found.depth)[: len(upstream)]
    depth = [torch.where(found.mask, 1.0, 0.0)] if len(upstream) == 3 else []
    factors = [*upstream[:2], *(upstream[2] * seen for seen in depth)]
    return torch.autograd.grad(
        outputs, leaves, [f.to(o.dtype) for f, o in zip(factors, outputs, strict=True)]
    )


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("covered", [True, False])
@pytest.mark.parametrize("perspective", [True, False])
def test_the_picture_is_that_of_three_operations(scene, rng, smooth, covered, perspective):
    screen, faces = scene
    colours = given(rng, 1, screen.shape[1], 3)
    options = {"smooth": smooth, "covered": covered, "perspective": perspective}
    image, found = paint(colours, screen, faces, SIZE, **options)
    want, seen = apart(colours, screen, faces, SIZE, **options)
    torch.testing.assert_close(image, want)
    assert torch.equal(found.face, seen.face)
    assert torch.equal(found.barycentric, seen.barycentric)
    assert torch.equal(found.depth, seen.depth)
    assert found.mask.double().mean() > 0.1


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shared", [True, False], ids=["one palette", "a palette each"])
@pytest.mark.parametrize("perspective", [True, False])
def test_gradients_are_those_of_three_operations(scene, rng, threads, shared, perspective):
    screen, faces = scene
    colours = given(rng, 1 if shared else 2, screen.shape[1], 3)
    upstream = [given(rng, 2, *SIZE, k) for k in (4, 3)] + [given(rng, 2, *SIZE)]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for parts in (1, 3):
            for smooth in (True, False):
                every = colours, screen, faces, upstream[:parts]
                options = {"perspective": perspective, "smooth": smooth, "covered": True}
                got = gradients(paint, *every, **options)
                want = gradients(apart, *every, **options)
                for one, other in zip(got, want, strict=True):
                    scale = other.abs().max()
                    torch.testing.assert_close(one / scale, other / scale)
                    assert scale > 0
    finally:
        torch.set_num_threads(before)


def test_each_gradient_alone_is_the_same(scene, rng):
    screen, faces = scene
    colours, upstream = given(rng, 1, screen.shape[1], 3), given(rng, 2, *SIZE, 3)
    both = gradients(paint, colours, screen, faces, [upstream])
    for k in range(2):
        leaves = [colours.clone(), screen.clone()]
        leaves[k].requires_grad_()
        image = paint(*leaves, faces, SIZE)[0]
        torch.testing.assert_close(torch.autograd.grad(image, leaves[k], upstream)[0], both[k])


def test_gradients_in_single_precision_are_those_in_double(rng):
    screen, faces = ball(40)
    colours, upstream = given(rng, 1, screen.shape[1], 3), given(rng, 1, *SIZE, 3)
    fine = gradients(paint, colours, screen.double(), faces, [upstream])
    coarse = gradients(paint, colours.float(), screen, faces, [upstream])
    for one, other in zip(coarse, fine, strict=True):
        assert one.dtype == torch.float32
        scale = other.abs().max()
        torch.testing.assert_close(one.double() / scale, other / scale, atol=1e-5, rtol=1e-4)


def test_a_gradient_that_is_not_finite_stays_with_the_face_of_its_pixel():
    screen, faces = ball(40)
    colours = torch.ones(1, screen.shape[1], 3)
    leaf = colours.clone().requires_grad_()
    image, found = paint(leaf, screen, faces, SIZE, smooth=False)
    upstream = torch.zeros_like(image)
    row, column = 20, 20
    upstream[0, row, column] = torch.nan
    spoilt = torch.autograd.grad(image, leaf, upstream)[0].isnan().any(-1)[0].nonzero()[:, 0]
    corners = faces[found.face[0, row, column]].sort().values
    assert torch.equal(spoilt, corners.to(spoilt.dtype))


@pytest.mark.parametrize("channels", [1, 5])
def test_other_numbers_of_channels_are_drawn_too(scene, rng, channels):
    screen, faces = scene
    colours = given(rng, 2, screen.shape[1], channels)
    torch.testing.assert_close(
        paint(colours, screen, faces, SIZE)[0], apart(colours, screen, faces, SIZE)[0]
    )


def test_a_mesh_that_reaches_behind_the_camera_is_drawn_too(rng):
    camera = Camera.facing(SIZE, focal=20.0)
    points = given(rng, 1, 60, 3) * 40 - torch.tensor([0.0, 0.0, 15.0])
    screen, faces = camera.project(points), torch.arange(60).reshape(20, 3)
    assert (screen[..., 2] < 0).any()
    colours = given(rng, 1, 60, 3)
    got, want = (call(colours, screen, faces, SIZE)[0] for call in (paint, apart))
    torch.testing.assert_close(got, want)


@pytest.mark.refusal
def test_colours_that_lack_vertices_and_other_topologies_are_refused():
    screen, faces = ball(40)
    with pytest.raises(ParameterError, match="but face .* has none"):
        paint(torch.ones(1, 3, 3), screen, faces, SIZE)
    with pytest.raises(ShapeError, match="batch of 1 or 1"):
        paint(torch.ones(2, screen.shape[1], 3), screen, faces, SIZE)
    colours, other = torch.ones(1, screen.shape[1], 3), Topology.of(faces[:-1])
    with pytest.raises(ShapeError, match="compute it with Topology.of"):
        paint(colours, screen, faces, SIZE, topology=other)
    with pytest.raises(ShapeError, match="colours must have shape"):
        paint(torch.ones(screen.shape[1], 3), screen, faces, SIZE)
