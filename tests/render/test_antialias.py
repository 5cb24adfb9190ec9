import math

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.geometry.topology import Topology
from morphface.render import Fragments, antialias, outline, rasterize
from tests.render.test_rasterize import soup
from tests.toy import sphere

HALVES = torch.tensor([[0, 1, 2], [3, 2, 1]])
FINE = 16


def plain(image, screen, faces, fragments, near=1.0):
    """What other devices than the CPU get."""
    seen = fragments.face, fragments.depth
    return outline.smooth(image, screen, Topology.of(faces), seen, near)


@pytest.fixture(params=["compiled", "plain"])
def smooth(request):
    return plain if request.param == "plain" else antialias


def rectangle(x0, y0, x1, y1, depth=10.0):
    """Two triangles, corners in the order of `HALVES`."""
    corners = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)]
    rows = [torch.stack([*map(torch.as_tensor, xy), torch.tensor(depth)]) for xy in corners]
    return torch.stack(rows).float()[None]


def coverage(smooth, screen, faces, size, **given):
    fragments = rasterize(screen.detach(), faces, size, **given)
    image = fragments.mask[..., None].to(screen.dtype)
    return smooth(image, screen, faces, fragments)[..., 0]


def share(low, high, count):
    """How much of each of `count` cells of length 1 an interval covers."""
    start = torch.arange(count)
    return (torch.clamp(start + 1, max=high) - torch.clamp(start, min=low)).clamp(min=0)


def ball(size=48, rings=20, centre=(0.0, 0.0, -400.0), radius=90.0):
    unit, faces = sphere(rings, 2 * rings)
    screen = Camera.facing((size, size)).project(unit * radius + torch.tensor(centre))
    return screen[None], faces


def test_coverage_grows_evenly_while_an_edge_moves_across_a_pixel(smooth):
    for step in range(40):
        edge = torch.tensor(3 + step / 16, requires_grad=True)  # at pixel centres too
        screen = rectangle(-2.0, -2.0, edge, 9.0)
        for points in (screen, screen[..., [1, 0, 2]]):
            (slope,) = torch.autograd.grad(coverage(smooth, points, HALVES, (7, 7)).sum(), edge)
            assert slope.item() == pytest.approx(7.0, rel=1e-5)
        row = coverage(smooth, screen, HALVES, (7, 7))[0, 3]
        torch.testing.assert_close(row.detach(), share(0, edge.item(), 7), atol=1e-5, rtol=0)


def test_an_upright_rectangle_covers_pixels_exactly_but_beside_corners(smooth, rng):
    for _ in range(20):
        x0, y0 = (torch.rand(2, generator=rng) * 3 + 1).tolist()
        x1, y1 = (torch.rand(2, generator=rng) * 4 + 5).tolist()
        got = coverage(smooth, rectangle(x0, y0, x1, y1), HALVES, (11, 12))[0]
        across, down = share(x0, x1, 12)[None], share(y0, y1, 11)[:, None]
        want = down * across
        near_corner = (across < 0.5) & (down < 1)  # beside a corner, and not hit at the centre
        torch.testing.assert_close(got[~near_corner], want[~near_corner], atol=1e-5, rtol=0)
        assert (got - want).abs().max() < 0.25


def test_the_nearer_surface_is_the_one_that_ends(smooth):
    near, far = rectangle(-2.0, -2.0, 4.2, 9.0, 10.0), rectangle(1.7, -2.0, 9.0, 9.0, 20.0)
    screen = torch.cat([near, far], dim=1).requires_grad_()
    faces = torch.cat([HALVES, HALVES + 4])
    fragments = rasterize(screen.detach(), faces, (6, 8))
    image = torch.where(fragments.face < 2, 0.25, 0.75)[..., None]
    got = smooth(image, screen, faces, fragments)
    torch.testing.assert_close(got[0, 2, 4, 0].item(), 0.2 * 0.25 + 0.8 * 0.75)
    got.sum().backward()
    assert screen.grad[0, 4:].abs().max() == 0
    assert screen.grad[0, :4, 0].sum().item() == pytest.approx(6 * -0.5, rel=1e-5)


def moved(screen, change):
    """Shifted along x and y, grown about the image's middle, by three numbers."""
    middle = torch.tensor([24.0, 24.0])
    flat = (screen[..., :2] - middle) * (1 + change[2]) + middle + change[:2]
    return torch.cat([flat, screen[..., 2:]], dim=-1)


SHAPES = {
    "triangle": (torch.tensor([[[5.2, 8.1, 9], [11.3, 43.2, 9], [41.7, 24.4, 7]]]), HALVES[:1]),
    "ball": ball(),
    "ball of faces smaller than a pixel": ball(rings=60),
    "ball with holes": (ball(rings=6)[0], ball(rings=6)[1][::3]),
    "balls before each other": (
        torch.cat([ball()[0], ball(radius=50, centre=(45.0, 30.0, -300.0))[0]], dim=1),
        torch.cat([ball()[1], ball()[1] + ball()[0].shape[1]]),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_gradient_is_that_of_a_finely_sampled_picture(name):
    screen, faces = SHAPES[name]
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    weight = 1.5 + torch.sin(x / 9) * torch.cos(y / 11)
    behind = torch.arange(len(faces)) < len(ball()[1]) if "each" in name else torch.zeros(())
    colour = (0.3 + 0.7 * behind).expand(len(faces))

    def shown(points, samples):
        scale = torch.tensor([samples, samples, 1.0])
        fragments = rasterize(points.detach() * scale, faces, (48 * samples, 48 * samples))
        return fragments, torch.where(fragments.mask, colour[fragments.face], 0.0)

    def fine(change):
        image = shown(moved(screen, change), FINE)[1]
        return (
            image[0].unflatten(1, (48, FINE)).unflatten(0, (48, FINE)).mean((1, 3)) * weight
        ).sum()

    change = torch.zeros(3, requires_grad=True)
    points = moved(screen, change)
    fragments, image = shown(points, 1)
    out = antialias(image[..., None], points, faces, fragments)[0, ..., 0]
    (out * weight).sum().backward()
    for k, step in enumerate((0.4, 0.4, 0.02)):
        offset = torch.eye(3)[k] * step
        slope = (fine(offset) - fine(-offset)) / (2 * step)
        scale = 60.0 if k < 2 else 60.0 * 20
        assert change.grad[k].item() == pytest.approx(slope.item(), abs=0.06 * scale), k


def test_area_of_a_ball_and_its_growth_are_those_of_its_outline(smooth):
    scale = torch.ones((), requires_grad=True)
    screen, faces = ball(40, 60)
    limb = 1.5 * 40 * 90 / math.sqrt(400**2 - 90**2)
    points = torch.cat([(screen[..., :2] - 20) * scale + 20, screen[..., 2:]], dim=-1)
    area = coverage(smooth, points, faces, (40, 40)).sum()
    area.backward()
    assert area.item() == pytest.approx(math.pi * limb**2, rel=3e-3)
    assert scale.grad.item() == pytest.approx(2 * math.pi * limb**2, rel=0.03)


def test_only_pixels_at_the_outline_change(smooth, rng):
    screen, faces = ball()
    fragments = rasterize(screen, faces, (48, 48))
    image = torch.rand(1, 48, 48, 2, generator=rng)
    changed = (smooth(image, screen, faces, fragments) != image).any(-1)
    covered = fragments.mask.float()[:, None]
    kernel = torch.ones(1, 1, 3, 3)
    around = torch.nn.functional.conv2d(covered, kernel, padding=1)[:, 0]
    assert changed.sum() > 80
    assert not changed[(around == 0) | (around == 9)].any()


FLAT = torch.tensor([[[1.0, 1, 9], [9, 1, 9], [1, 9, 9], [9, 9, 9], [5.2, 5.2, 9], [5.2, 5.2, 9]]])
INNER = {
    "alike": HALVES,
    "turned over": torch.tensor([[0, 1, 2], [1, 2, 3]]),
    "with a fin": torch.tensor([[0, 1, 2], [3, 2, 1], [1, 2, 4]]),
    "with a face twice": torch.tensor([[0, 1, 2], [3, 2, 1], [0, 1, 2]]),
    "with faces without area": torch.tensor(
        [[0, 1, 4], [0, 4, 2], [3, 2, 5], [3, 5, 1], [1, 5, 4], [2, 4, 5], [4, 4, 1]]
    ),
}


@pytest.mark.parametrize("name", INNER)
def test_a_surface_that_goes_on_is_left_alone(name, smooth, rng):
    fragments = rasterize(FLAT, INNER[name], (10, 10))
    assert len(fragments.face.unique()) > 2
    image = torch.rand(1, 10, 10, 3, generator=rng)
    got = smooth(image, FLAT, INNER[name], fragments)
    assert torch.equal(got[:, 2:8, 2:8], image[:, 2:8, 2:8])


def test_sides_seen_edge_on_do_not_hide_an_outline(smooth):
    front, back = rectangle(2.3, 2.3, 7.7, 7.7, 5.0), rectangle(2.3, 2.3, 7.7, 7.7, 9.0)
    ring = [(0, 1), (1, 3), (3, 2), (2, 0)]
    sides = [face for a, b in ring for face in ((a, b, a + 4), (b, b + 4, a + 4))]
    faces = torch.cat([HALVES, HALVES.flip(1) + 4, torch.tensor(sides)])
    screen = torch.cat([front, back], dim=1).requires_grad_()
    got = coverage(smooth, screen, faces, (10, 10), perspective=False)
    torch.testing.assert_close(got.sum().item(), 5.4**2)
    got.sum().backward()
    assert screen.grad[0, :4, :2].abs().min() > 1
    assert screen.grad[0, 4:].abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["soup", "balls", "crumpled", "tangled"])
def test_compiled_and_plain_agree(kind, dtype, rng):
    screen, faces = soup(rng, 3000, 40, batch=2)
    if kind != "soup":
        screen, faces = SHAPES["balls before each other"]
        screen = torch.cat([screen, screen + 0.3])
    if kind in ("crumpled", "tangled"):
        screen = screen + 3 * torch.rand(screen.shape, generator=rng)
    if kind == "tangled":
        faces = torch.randint(0, 40, (200, 3), generator=rng)
    fragments = rasterize(screen.to(dtype), faces, (40, 44))
    image, grad = torch.rand(2, *fragments.face.shape, 3, generator=rng, dtype=dtype)
    results = []
    for run in (antialias, plain):
        inputs = [image.clone().requires_grad_(), screen.to(dtype).requires_grad_()]
        out = run(*inputs, faces, fragments)
        results.append((out, *torch.autograd.grad(out, inputs, grad)))
    assert (results[0][0] != image).any(-1).sum() > 30
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want)


def test_gradients_are_those_of_finite_differences_in_double_precision(smooth, rng):
    screen, faces = soup(rng, 60, 9)
    screen = screen.double().requires_grad_()
    fragments = rasterize(screen.detach(), faces, (9, 10))
    image = torch.rand(1, 9, 10, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    assert (smooth(image, screen, faces, fragments) != image).any(-1).sum() > 20
    assert torch.autograd.gradcheck(
        lambda i, s: smooth(i, s, faces, fragments), (image, screen), eps=1e-7, atol=1e-6
    )


def test_colours_stay_within_the_range_they_had(smooth, rng):
    screen, faces = soup(rng, 400, 40)
    fragments = rasterize(screen, faces, (40, 40))
    image = (torch.rand(1, 40, 40, 1, generator=rng) > 0.5).float()
    got = smooth(image, screen, faces, fragments)
    assert got.min() >= -1e-6
    assert got.max() <= 1 + 1e-6


def test_gradient_of_colours_is_shared_out_and_not_lost(smooth, rng):
    screen, faces = soup(rng, 100, 40)
    fragments = rasterize(screen, faces, (40, 40))
    image = torch.rand(1, 40, 40, 5, generator=rng).requires_grad_()
    grad = torch.rand(1, 40, 40, 5, generator=rng)
    smooth(image, screen, faces, fragments).backward(grad)
    torch.testing.assert_close(image.grad.sum((0, 1, 2)), grad.sum((0, 1, 2)))
    assert not torch.equal(image.grad, grad)


def test_a_batch_gives_what_its_images_give_alone(smooth, rng):
    screen, faces = soup(rng, 60, 30, batch=3)
    fragments = rasterize(screen, faces, (30, 20))
    image = torch.rand(3, 30, 20, 2, generator=rng)
    screen.requires_grad_()
    got = smooth(image, screen, faces, fragments)
    (whole,) = torch.autograd.grad(got.square().sum(), screen)
    for k in range(3):
        one = screen.detach()[k : k + 1].requires_grad_()
        alone = smooth(image[k : k + 1], one, faces, fragments.map(lambda v, k=k: v[k : k + 1]))
        alone.square().sum().backward()
        torch.testing.assert_close(alone[0], got[k])
        torch.testing.assert_close(one.grad[0], whole[k])


def test_strides_index_types_and_a_kept_topology_make_no_difference(rng):
    screen, faces = soup(rng, 60, 30)
    fragments = rasterize(screen, faces, (30, 20))
    image = torch.rand(1, 30, 20, 2, generator=rng)
    want = antialias(image, screen, faces, fragments)
    strided = image.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)
    wide = torch.cat([screen, screen], dim=-1)[..., :3]
    topology = Topology.of(faces)
    got = antialias(strided, wide, faces.int(), fragments, topology=topology)
    assert torch.equal(got, want)
    got = antialias(image.double(), screen, faces, fragments)
    torch.testing.assert_close(got, want.double())


def test_result_does_not_depend_on_the_number_of_threads(rng):
    screen, faces = soup(rng, 300, 60, batch=3)
    fragments = rasterize(screen, faces, (60, 60))
    image, results = torch.rand(3, 60, 60, 3, generator=rng), []
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            points = screen.clone().requires_grad_()
            out = antialias(image, points, faces, fragments)
            results.append((out, torch.autograd.grad(out.square().sum(), points)[0]))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_a_mask_loss_moves_a_ball_to_where_it_was_seen():
    screen, faces = ball(rings=24)
    topology = Topology.of(faces)
    truth = torch.tensor([4.3, -3.6])

    def mask(shift):
        points = moved(screen, torch.cat([shift, torch.zeros(1)]))
        fragments = rasterize(points.detach(), faces, (48, 48))
        image = fragments.mask[..., None].float()
        return antialias(image, points, faces, fragments, topology=topology)

    target, shift = mask(truth), torch.zeros(2, requires_grad=True)
    optimiser = torch.optim.Adam([shift], lr=0.4)
    for step in range(100):
        optimiser.param_groups[0]["lr"] = 0.4 * 0.95**step
        optimiser.zero_grad()
        (mask(shift) - target).square().sum().backward()
        optimiser.step()
    torch.testing.assert_close(shift.detach(), truth, atol=0.03, rtol=0)


def test_a_mesh_that_reaches_behind_the_camera_keeps_all_finite(smooth):
    unit, faces = sphere(10, 16)
    screen = Camera.facing((40, 40)).project(unit * 50 + torch.tensor([20.0, 0, -30.0]))[None]
    screen.requires_grad_()
    got = coverage(smooth, screen, faces, (40, 40))
    got.sum().backward()
    assert got.isfinite().all()
    assert screen.grad.isfinite().all()


@pytest.mark.parametrize("end", [-120.0, -60.0, 60.0])
def test_where_a_surface_reaches_behind_the_camera_its_outline_stays_as_it_is(end, smooth):
    floor = torch.tensor([[-40.0, -40, -300], [40, -40, -300], [-40, -40, end], [40, -40, end]])
    camera = Camera.facing((40, 40))
    screen, faces = camera.project(floor)[None], torch.tensor([[0, 1, 2], [1, 3, 2]])
    fragments = rasterize(screen, faces, (40, 40))
    image = fragments.mask[..., None].float()
    assert 0 < image.mean() < 1
    assert torch.equal(smooth(image, screen, faces, fragments), image) == (end > 0)


def test_images_in_which_nothing_ends_are_returned_as_they_are(smooth, rng):
    square = rectangle(-1.0, -1.0, 12.0, 12.0)
    scenes = [(square, HALVES), (square + 50, HALVES), (square, HALVES[:0])]
    scenes += [(square[:0], HALVES), (torch.zeros(1, 0, 3), HALVES[:0])]
    for size in ((1, 1), (1, 6), (5, 1), (5, 6)):
        for screen, faces in scenes:
            fragments = rasterize(screen, faces, size)
            image = torch.rand(*fragments.face.shape, 2, generator=rng)
            assert torch.equal(smooth(image, screen, faces, fragments), image)
            assert smooth(image[..., :0], screen, faces, fragments).shape[-1] == 0


@pytest.fixture
def scene():
    screen = rectangle(1.2, 1.2, 5.5, 5.5)
    fragments = rasterize(screen, HALVES, (7, 8))
    return fragments.mask[..., None].float(), screen, HALVES, fragments


@pytest.mark.refusal
def test_an_image_of_another_size_is_refused(scene):
    image, *rest = scene
    with pytest.raises(ShapeError, match=r"image must have shape \(..., 1, 7, 8, any\), got"):
        antialias(image[:, 1:], *rest)
    with pytest.raises(ShapeError, match="image must have 4 axes and screen 3, got 5 and 3"):
        antialias(image[None], *rest)


@pytest.mark.refusal
def test_a_screen_of_another_batch_is_refused(scene):
    image, screen, faces, fragments = scene
    with pytest.raises(ShapeError, match=r"screen must have shape \(..., 1, any, 3\), got \(2, 4"):
        antialias(image, torch.cat([screen, screen]), faces, fragments)


@pytest.mark.refusal
def test_a_topology_of_another_mesh_is_refused(scene):
    with pytest.raises(ShapeError, match="topology is of 1 faces, but there are 2; compute it"):
        antialias(*scene, topology=Topology.of(HALVES[:1]))


@pytest.mark.refusal
def test_whole_numbers_and_halves_are_refused(scene):
    image, *rest = scene
    with pytest.raises(ParameterError, match="image must be float32 or float64, got torch.int64"):
        antialias(image.long(), *rest)
    with pytest.raises(
        ParameterError, match="screen must be float32 or float64, got torch.float16"
    ):
        antialias(image, rest[0].half(), *rest[1:])


@pytest.mark.refusal
def test_vertices_or_faces_that_are_not_there_are_refused(scene):
    image, screen, faces, fragments = scene
    with pytest.raises(ParameterError, match="index the 3 vertices of screen, got indices up to 3"):
        antialias(image, screen[:, :3], faces, fragments)
    with pytest.raises(ParameterError, match="be of these 1 faces, but hold face 1"):
        antialias(image, screen, faces[:1], fragments)


def test_fragments_may_come_from_elsewhere(scene):
    image, screen, faces, fragments = scene
    bare = Fragments(fragments.face, torch.zeros_like(fragments.barycentric), fragments.depth)
    assert torch.equal(antialias(image, screen, faces, bare), antialias(*scene))
