"""Gradients of weights and depth: central differences, autograd of `reference`, and laws."""

import pytest
import torch

from morphface.geometry.camera import Camera
from morphface.render import interpolate, rasterize
from morphface.render.backends.differentiable import compiled_gradient, plain_gradient
from tests.render.contract import HALVES, HOMES, ONE, SQUARE, soup

SIZE = (24, 30)
STEP = 1e-5


@pytest.fixture(params=[name for name, device in HOMES.items() if device])
def backend(request):
    return request.param


@pytest.fixture(params=[True, False], ids=["perspective", "weak"])
def perspective(request):
    return request.param


@pytest.fixture
def scene(rng):
    screen, faces = soup(rng, 30, 28, batch=2)
    return screen.double(), faces


def given(rng, *shape):
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def draw(screen, faces, backend, **options):
    device = HOMES[backend]
    return rasterize(screen.to(device), faces.to(device), SIZE, backend=backend, **options)


def assert_slope(function, point, direction):
    """The gradient of `function` along `direction` against a central difference.

    `function` returns what belongs to each pixel, and its face; pixels that change their face
    within the step are left out.
    """
    leaf = point.clone().requires_grad_()
    value, face = function(leaf)
    (high, one), (low, other) = (function(point + s * direction) for s in (STEP, -STEP))
    steady = (one == face) & (other == face) & (face >= 0)
    assert steady.sum() > 0.9 * (face >= 0).sum() > 50
    slope = ((high - low)[steady].sum() / (2 * STEP)).item()
    gradient = torch.autograd.grad(value[steady].sum(), leaf)[0]
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-4)


def test_weights_follow_positions(rng, scene, backend, perspective):
    screen, faces = scene
    factor = given(rng, 2, *SIZE, 3)

    def weighed(points):
        found = draw(points, faces, backend, perspective=perspective)
        return (found.barycentric * factor.to(found.depth.device)).sum(-1), found.face

    for _ in range(3):
        assert_slope(weighed, screen, given(rng, *screen.shape))


def test_depth_follows_positions(rng, scene, backend, perspective):
    screen, faces = scene

    def depth(points):
        found = draw(points, faces, backend, perspective=perspective)
        return found.depth, found.face

    for axis in range(3):
        direction = given(rng, *screen.shape)
        direction[..., [k for k in range(3) if k != axis]] = 0
        assert_slope(depth, screen, direction)


def test_interpolated_attributes_follow_positions_and_attributes(rng, scene, perspective):
    screen, faces = scene
    packed = torch.cat([screen, given(rng, 2, 90, 4)], dim=-1)
    factor = given(rng, 2, *SIZE, 4)

    def image(packed):
        found = draw(packed[..., :3], faces, "cpu", perspective=perspective)
        return (interpolate(packed[..., 3:], faces, found) * factor).sum(-1), found.face

    for _ in range(3):
        assert_slope(image, packed, given(rng, *packed.shape))


def test_what_reaches_behind_the_camera_follows_the_points_before_it(rng, backend):
    camera = Camera.facing(SIZE, focal=20.0)
    points = given(rng, 1, 60, 3) * 40 - torch.tensor([0.0, 0.0, 15.0])
    faces = torch.arange(60).reshape(20, 3)
    assert 0.2 < (points[..., 2] > 0).double().mean() < 0.8

    def depth(points):
        found = draw(camera.project(points), faces, backend)
        return found.depth * (1 + found.barycentric[..., 0]), found.face

    assert_slope(depth, points, given(rng, *points.shape))


def test_a_head_partly_behind_the_camera_has_finite_gradients(toy, backend):
    points = (toy.identity.mean + torch.tensor([20.0, 10.0, 60.0]))[None].requires_grad_()
    screen = Camera.facing(SIZE).project(points)
    assert 0.2 < (screen[..., 2] < 0).float().mean() < 0.8
    found = draw(screen, toy.faces, backend)
    assert found.mask.float().mean() > 0.5
    (found.depth[found.mask].sum() + found.barycentric.square().sum()).backward()
    assert points.grad.isfinite().all()
    assert points.grad.abs().sum() > 0


def test_the_compiled_the_plain_and_the_automatic_gradient_are_one(rng, scene, perspective):
    screen, faces = scene
    leaf = screen.clone().requires_grad_()
    found = draw(leaf, faces, "reference", perspective=perspective)
    grads = given(rng, 2, *SIZE, 3), given(rng, 2, *SIZE) * found.mask
    values = found.barycentric, found.depth
    want = torch.autograd.grad(values, leaf, grads, retain_graph=True)[0]
    saved = screen, faces, found.face, found.barycentric.detach()
    for way in (compiled_gradient, plain_gradient):
        torch.testing.assert_close(way(*saved, grads, perspective=perspective), want)
    for k, only in enumerate([(grads[0], None), (None, grads[1])]):
        want = torch.autograd.grad(values[k], leaf, grads[k], retain_graph=True)[0]
        for way in (compiled_gradient, plain_gradient):
            torch.testing.assert_close(way(*saved, only, perspective=perspective), want)


def test_depth_is_homogeneous_in_the_depths_of_vertices(rng, scene, backend):
    # If all depths double, so does what is seen, and the weights stay: Euler's theorem.
    screen, faces = scene
    leaf = screen.clone().requires_grad_()
    found = draw(leaf, faces, backend)
    seen, far = found.depth[found.mask], leaf.detach()[..., 2]
    to_depth = torch.autograd.grad(seen.sum(), leaf, retain_graph=True)[0][..., 2]
    to_weights = torch.autograd.grad(found.barycentric[..., 1].sum(), leaf)[0][..., 2]
    torch.testing.assert_close((to_depth * far).sum(), seen.detach().sum().to(far.device))
    torch.testing.assert_close((to_weights * far).sum(), torch.zeros_like(far.sum()))


def test_single_precision_gives_the_gradients_of_double(rng, scene, perspective):
    screen, faces = scene
    factor = given(rng, 2, *SIZE, 3)
    grads = []
    for dtype in (torch.float32, torch.float64):
        leaf = screen.float().to(dtype).requires_grad_()
        found = draw(leaf, faces, "cpu", perspective=perspective)
        grads.append(torch.autograd.grad((found.barycentric * factor.to(dtype)).sum(), leaf)[0])
        assert grads[-1].dtype == dtype
    scale = grads[1].abs().max()
    torch.testing.assert_close(grads[0].double() / scale, grads[1] / scale, atol=1e-5, rtol=1e-4)


def test_half_precision_is_drawn_in_single(backend):
    leaf = SQUARE.half().to(HOMES[backend]).requires_grad_()
    found = rasterize(leaf, HALVES.to(leaf.device), (8, 8), backend=backend)
    assert found.mask.all()
    found.depth.sum().backward()
    assert leaf.grad.dtype == torch.float16
    assert leaf.grad.isfinite().all()


def test_faces_without_area_and_slivers_leave_gradients_finite(rng, backend):
    screen, faces = soup(rng, 60, 24)
    corners = screen.reshape(-1, 3, 3)
    corners[:20, 2] = corners[:20, 0]
    corners[20:40, 2, :2] = corners[20:40, 0, :2].lerp(corners[20:40, 1, :2], 0.37)
    leaf = screen.clone().requires_grad_()
    found = draw(leaf, faces, backend)
    (found.barycentric.square().sum() + found.depth[found.mask].sum()).backward()
    assert leaf.grad.isfinite().all()
    assert not leaf.grad[0, :60].any()


def test_an_image_without_faces_has_the_gradient_zero(backend):
    leaf = SQUARE.clone().to(HOMES[backend]).requires_grad_()
    for faces in (HALVES[:0], HALVES):
        shift = torch.tensor([50.0, 0, 0], device=leaf.device)
        found = rasterize(leaf + shift, faces.to(leaf.device), (8, 8), backend=backend)
        gradient = torch.autograd.grad(found.barycentric.sum(), leaf, allow_unused=True)[0]
        assert gradient is None or not gradient.any()


def test_only_what_asks_for_gradients_has_them(backend):
    device = HOMES[backend]
    found = rasterize(SQUARE.to(device), ONE.to(device), (8, 8), backend=backend)
    assert not found.barycentric.requires_grad
    assert not found.depth.requires_grad
    leaf = SQUARE.clone().to(device).requires_grad_()
    assert not rasterize(leaf, ONE.to(device), (8, 8), backend=backend).face.requires_grad


def test_repeats_give_the_same_bits(rng):
    screen, faces = soup(rng, 500, 60)
    leaf = screen.requires_grad_()
    factor = torch.rand(1, 60, 60, 3, generator=rng)

    def gradient():
        found = rasterize(leaf, faces, (60, 60))
        return torch.autograd.grad((found.barycentric * factor).sum(), leaf)[0]

    want = gradient()
    assert all(torch.equal(gradient(), want) for _ in range(10))
