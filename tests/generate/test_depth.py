import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.generate import config_of, load_generator, make_generator, save_generator
from morphface.generate.networks.depth import DepthNetwork, FaceDepth, Moved, depth_of, view_flow
from morphface.generate.networks.warp import warped
from morphface.generate.training.depth import (
    changed,
    photometric,
    reprojected,
    smoothness,
    structural,
)
from morphface.geometry.camera import Camera, to_camera
from tests.generate.people import SIDE, smooth

CONFIG = config_of("depth", resolution=SIDE, width=4)
FOCAL, PRINCIPAL = torch.tensor([[1.2, 1.3]]), torch.tensor([[0.52, 0.47]])


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def moved(rotation=(0.0, 0.0, 0.0), translation=(0.0, 0.0, 0.0)):
    return Moved(torch.tensor([rotation]), torch.tensor([translation]), FOCAL, PRINCIPAL)


def plane(normal, distance, side=SIDE):
    """Depth of the plane normal . point = distance, of points x right, y down, z ahead."""
    steps = (torch.arange(side) + 0.5) / side
    x = (steps - PRINCIPAL[0, 0]) / FOCAL[0, 0]
    y = (steps[:, None] - PRINCIPAL[0, 1]) / FOCAL[0, 1]
    ray = torch.stack([x.expand(side, side), y.expand(side, side), torch.ones(side, side)], -1)
    return (distance / (ray @ torch.tensor(normal)))[None, None]


def test_who_does_not_move_is_seen_where_he_is():
    depth = smooth(dice(), 1, 1) + 2
    torch.testing.assert_close(
        view_flow(depth, moved()), torch.zeros(1, 2, SIDE, SIDE), rtol=0, atol=1e-4
    )


def test_flow_is_that_of_points_before_a_camera():
    """Square pixels: our camera projects what it unprojected and moved."""
    focal = torch.tensor([1.3, 1.3])
    step = Moved(
        torch.tensor([[0.05, -0.1, 0.02]]), torch.tensor([[0.1, 0.0, -0.2]]), focal[None], PRINCIPAL
    )
    depth = smooth(dice(), 1, 1) + 3
    camera = Camera(SIDE * focal[:1], SIDE * PRINCIPAL, (SIDE, SIDE))
    y, x = 20, 9
    screen = torch.tensor([[[x + 0.5, y + 0.5, float(depth[0, 0, y, x])]]])
    there = camera.project(to_camera(camera.unproject(screen), step.rotation, step.translation))
    torch.testing.assert_close(
        view_flow(depth, step)[0, :, y, x], (there - screen)[0, 0, :2], rtol=0, atol=1e-3
    )


def test_each_axis_has_its_own_focal_length():
    flow = view_flow(torch.full((1, 1, SIDE, SIDE), 2.0), moved(translation=(0.1, 0.1, 0.0)))
    wanted = SIDE * FOCAL[0] * torch.tensor([0.1, -0.1]) / 2  # y is up before a camera
    torch.testing.assert_close(flow, wanted[None, :, None, None].expand_as(flow), rtol=0, atol=1e-4)


def test_a_rendered_plane_with_its_depth_and_motion_loses_nothing():
    """The source is the picture, moved the other way; depth and motion undo it."""
    side, normal, distance = 64, (0.2, -0.1, 1.0), 2.0
    step = moved((0.0, 0.0, 0.06), (0.12, 0.04, 0.0))
    target = smooth(dice(3), 1, 3, side) / 2 + 0.5
    depth = plane(normal, distance, side)
    flow = view_flow(depth, step)
    back = -flow
    for _ in range(30):  # the fixed point: source pixel p shows target pixel p + back(p)
        back = -warped(flow, back)
    source = warped(target, back)
    far = reprojected(target, source[:, None], depth, step)
    inner = far[..., 8:-8, 8:-8]
    still = photometric(source, target)[..., 8:-8, 8:-8]
    assert float(inner.mean()) < 0.06 * float(still.mean())
    wrong = reprojected(target, source[:, None], plane((0.0, 0.0, 1.0), 3.0, side), step)
    assert float(inner.mean()) < 0.3 * float(wrong[..., 8:-8, 8:-8].mean())


def test_each_pixel_has_its_best_source():
    target = smooth(dice(), 1, 3) / 2 + 0.5
    other = smooth(dice(1), 1, 3) / 2 + 0.5
    sources = torch.stack([target, other], dim=1)
    turned = Moved(
        torch.tensor([[0.0, 0.3, 0.0]] * 2),
        torch.zeros(2, 3),
        FOCAL.expand(2, 2),
        PRINCIPAL.expand(2, 2),
    )
    far = reprojected(target, sources, torch.ones(1, 1, SIDE, SIDE), turned)
    still = Moved(torch.zeros(2, 3), torch.zeros(2, 3), FOCAL.expand(2, 2), PRINCIPAL.expand(2, 2))
    best = reprojected(target, sources, torch.ones(1, 1, SIDE, SIDE), still)
    assert float(best.max()) < 1e-3
    assert float(far.mean()) > 0.01


def test_what_does_not_move_does_not_count():
    target, other = (smooth(dice(k), 1, 3) / 2 + 0.5 for k in range(2))
    half = (torch.arange(SIDE) < SIDE // 2).float()
    source = half * target + (1 - half) * other
    counts = changed(target, torch.stack([source, other], dim=1))
    assert not counts[..., : SIDE // 2 - 1].any()
    assert float(counts[..., SIDE // 2 + 1 :].float().mean()) > 0.5
    assert not changed(target, torch.stack([target, other], dim=1)).any()


def test_equal_pictures_are_alike_and_structure_counts_more_than_light():
    one, two = (smooth(dice(k), 1, 3) / 2 + 0.5 for k in range(2))
    torch.testing.assert_close(structural(one, one), torch.ones_like(one))
    assert float(photometric(one, one).max()) < 1e-6
    lighter = photometric((one + 0.1).clamp(0, 1), one).mean()
    assert float(lighter) < float(photometric(two, one).mean())


def test_disparity_may_jump_where_the_picture_does():
    step = (torch.arange(SIDE) >= SIDE // 2).float().expand(1, 1, SIDE, SIDE)
    flat, edge = torch.full((1, 3, SIDE, SIDE), 0.5), step.expand(1, 3, -1, -1)
    assert float(smoothness(torch.full_like(step, 0.3), flat)) == 0
    assert float(smoothness(step, edge)) < 0.5 * float(smoothness(step, flat))
    torch.testing.assert_close(smoothness(step, flat), smoothness(2 * step, flat))


def test_depth_runs_from_the_nearest_to_the_farthest():
    found = depth_of(torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(found, torch.tensor([0.1, 100.0]))


@pytest.mark.parametrize("side", [32, 64])
def test_sizes_are_halves_of_one_another(side):
    made = DepthNetwork(CONFIG.replace(resolution=side))
    found = made(torch.zeros(1, 3, side, side))
    assert [one.shape[-1] for one in found] == [side >> k for k in range(4)]


def test_every_parameter_learns():
    torch.manual_seed(0)
    made, rng = FaceDepth(CONFIG), dice()
    torch.nn.init.normal_(made.ego.last.weight)  # it begins with no motion whatever it sees
    films = smooth(rng, 3, 3)
    sizes, step = made(films[:1], films[None, 1:])
    far = [
        reprojected(
            films[:1] / 2 + 0.5,
            films[None, 1:] / 2 + 0.5,
            torch.nn.functional.interpolate(depth_of(one), size=SIDE),
            step,
        ).mean()
        for one in sizes
    ]
    torch.stack(far).sum().backward()
    dead = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert dead == []


def test_a_checkpoint_comes_back(tmp_path):
    torch.manual_seed(0)
    made = make_generator("depth", resolution=SIDE, width=4).eval()
    save_generator(tmp_path / "depth.safetensors", made)
    again, picture = load_generator(tmp_path / "depth.safetensors"), smooth(dice(), 1, 3)
    with torch.no_grad():
        assert torch.equal(again.sight(picture)[0], made.sight(picture)[0])


@pytest.mark.refusal
def test_depth_sees_pictures_alone():
    with pytest.raises(ParameterError, match="maps and style must be none for depth, got"):
        FaceDepth(config_of("depth", maps=("depth",), channels=(1,)))
