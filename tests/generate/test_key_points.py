import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample

from morphface.core.errors import ParameterError
from morphface.generate import config_of, make_generator
from morphface.generate.networks.bent import Bend, equivariance, random_bend
from morphface.generate.networks.dense_motion import candidates, grid_of
from morphface.generate.networks.key_points import (
    KeyPoints,
    between,
    expected,
    inverse,
    moved_points,
    near_points,
    split_points,
)
from tests.generate.people import SIDE, conv, parameters, smooth

PUBLISHED = config_of("dagan", keypoints="learned")
CONFIG = config_of("dagan", resolution=SIDE, width=8, keypoints="learned", norm="instance")


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def straight(affine):
    """A bend without a spline."""
    return Bend(affine[None], torch.zeros(1, 2), torch.zeros(1, 1, 2))


def numbers(places, maps):
    return torch.cat([places, maps.flatten(2)], dim=2).flatten(1)


def test_the_published_detector_has_the_published_layers():
    with torch.device("meta"):
        made = KeyPoints(PUBLISHED, 15)
    down, inputs = (64, 128, 256, 512, 1024), 4

    def block(a, b):
        return conv(a, b, 3) + 2 * b

    look = sum(block(a, b) for a, b in zip((inputs, *down[:-1]), down, strict=True))
    look += sum(
        block(a, b) for a, b in ((1024, 512), (1024, 256), (512, 128), (256, 64), (128, 32))
    )
    heads = conv(32 + inputs, 15, 7) + conv(32 + inputs, 60, 7)
    assert parameters(made) == look + heads


def test_a_point_is_the_mean_place_of_its_heat_map():
    heat = torch.zeros(1, 1, 8, 8)
    heat[0, 0, 2, 5], heat[0, 0, 2, 6] = 0.75, 0.25
    grid = grid_of(8, heat).flatten(0, 1)[None, None]
    found = expected(heat.flatten(2), grid)
    torch.testing.assert_close(found, torch.tensor([[[5.75 / 4 - 1, 2.5 / 4 - 1]]]))


def test_it_begins_with_maps_that_turn_nothing():
    torch.manual_seed(0)
    made = KeyPoints(CONFIG, 5)
    found = made(smooth(dice(), 2, 3), smooth(dice(1), 2, 1))
    places, turns = split_points(found)
    assert float(places.detach().abs().max()) < 1
    torch.testing.assert_close(turns, torch.eye(2).expand(2, 5, 2, 2))


def test_the_jacobian_of_a_bend_is_that_of_finite_differences():
    torch.manual_seed(0)
    bend = random_bend(2, torch.zeros(1))
    bend = Bend(bend.affine.double(), bend.control.double(), 20 * bend.weights.double())
    places, step = torch.rand(2, 7, 2, generator=dice()).double() * 2 - 1, 1e-6
    apart = [
        (bend(places + step * axis) - bend(places - step * axis)) / (2 * step)
        for axis in torch.eye(2).double()
    ]
    torch.testing.assert_close(bend.jacobian(places), torch.stack(apart, dim=-1))
    assert float((bend.jacobian(places) - bend.affine[:, None, :, :2]).abs().max()) > 0.01
    at = bend.jacobian(bend.control.expand(2, -1, -1))
    assert at.isfinite().all()


def test_a_bent_picture_shows_what_is_there():
    picture = smooth(dice(), 1, 3)
    affine = torch.tensor([[0.9, 0.1, 0.05], [-0.1, 0.95, -0.1]])
    grid = affine_grid(affine[None], [1, 3, SIDE, SIDE], align_corners=False)
    wanted = grid_sample(picture, grid, padding_mode="reflection", align_corners=False)
    torch.testing.assert_close(straight(affine).picture(picture), wanted)


def test_points_that_follow_a_known_bend_lose_nothing_and_others_do():
    torch.manual_seed(0)
    bend = random_bend(2, torch.zeros(1))
    there = torch.rand(2, 5, 2, generator=dice()) - 0.5
    turned = torch.eye(2) + 0.2 * torch.randn(2, 5, 2, 2, generator=dice(1))
    followed = numbers(bend(there), bend.jacobian(there) @ turned)
    value, turn = equivariance(followed, numbers(there, turned), bend)
    assert float(value) < 1e-6
    assert float(turn) < 1e-5
    value, turn = equivariance(numbers(there, turned), numbers(there, turned), bend)
    assert float(value) > 0.01
    assert float(turn) > 0.01


def test_a_detector_whose_heat_maps_move_is_equivariant():
    """Of spots in a picture: heat is brightness, and a map that does not turn keeps Jacobians."""
    shift = torch.tensor([[1.0, 0.0, 0.25], [0.0, 1.0, -0.125]])
    grid = grid_of(SIDE, shift)
    spot = (-(grid - torch.tensor([0.1, 0.05])).square().sum(-1) / 0.01).exp()[None, None]
    bend, places = straight(shift), grid.flatten(0, 1)[None, None]

    def detected(picture):
        share = picture.flatten(2) / picture.sum()
        return numbers(expected(share, places), torch.eye(2).expand(1, 1, 2, 2))

    value, turn = equivariance(detected(spot), detected(bend.picture(spot)), bend)
    assert float(value) < 1e-3
    assert float(turn) < 1e-6


def test_motion_between_points_is_that_of_an_affine_map_of_the_picture():
    """Photo = A frame: wherever the points are, each of them says so everywhere."""
    affine = torch.tensor([[1.1, 0.2, 0.1], [-0.1, 0.9, -0.05]])
    here = torch.rand(1, 4, 2, generator=dice()) - 0.5
    turned = torch.eye(2) + 0.2 * torch.randn(1, 4, 2, 2, generator=dice(1))
    there, source = straight(affine)(here), affine[:, :2] @ turned
    pairs = between(numbers(there, source), numbers(here, turned))
    flows, _ = candidates(pairs, 8)
    grid = grid_of(8, here)
    wanted = (grid @ affine[:, :2].mT + affine[:, 2] - grid).permute(2, 0, 1) * 4
    torch.testing.assert_close(flows[0, 1:], wanted.expand(4, -1, -1, -1), rtol=0, atol=1e-5)


def test_a_driver_that_does_not_move_leaves_points_where_they_are():
    photo, start = (
        numbers(
            torch.rand(1, 3, 2, generator=dice(k)),
            torch.eye(2) + 0.1 * torch.randn(1, 3, 2, 2, generator=dice(k)),
        )
        for k in range(2)
    )
    torch.testing.assert_close(moved_points(photo, start, start), photo)
    own = moved_points(photo, photo, photo)
    torch.testing.assert_close(own, photo)
    driver = start + 0.1
    same = moved_points(start, driver, start)
    torch.testing.assert_close(same, driver)


def test_maps_that_are_flat_have_finite_inverses():
    maps = torch.tensor([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]]).requires_grad_()
    inverse(maps).square().sum().backward()
    assert maps.grad.isfinite().all()
    whole = torch.eye(2) + 0.2 * torch.randn(9, 2, 2, generator=dice())
    torch.testing.assert_close(inverse(whole), torch.linalg.inv(whole))


def test_points_are_kept_apart():
    places = torch.tensor([[[0.0, 0.0], [0.1, 0.0], [0.9, 0.0]]])
    found = near_points(numbers(places, torch.eye(2).expand(1, 3, 2, 2)))
    torch.testing.assert_close(found, torch.tensor(0.1 / 3))
    assert float(near_points(numbers(places[:, :1], torch.eye(2).expand(1, 1, 2, 2)))) == 0


@pytest.mark.refusal
def test_points_of_the_mesh_are_not_found():
    made = make_generator("dagan", resolution=SIDE, width=4)
    with pytest.raises(ParameterError, match="keypoints must be learned to be found in pictures"):
        made.motion(torch.zeros(1, 3, SIDE, SIDE))
    found = make_generator("dagan", resolution=SIDE, width=4, keypoints="learned")
    with pytest.raises(ParameterError, match="maps must be given with pictures: their depth is"):
        found.motion(torch.zeros(1, 3, SIDE, SIDE))
