"""Flow between two pictures of a surface, and warping by it."""

from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters
from morphface.render import interpolate, rasterize
from morphface.render.flow import flow_between, flow_of_parameters, warp_by_flow
from morphface.render.maps.scene import posed

SIZE = (64, 64)
CAMERA = Camera.facing(SIZE, focal=110.0)
CARD = torch.tensor([[-60.0, 60, 0], [60, 60, 0], [60, -60, 0], [-60, -60, 0]])
HALVES = torch.tensor([[0, 2, 1], [0, 3, 2]])


@pytest.fixture(scope="module")
def face():
    return FaceParameters.neutral(identity=6, expression=4, reflectance=3)


@pytest.fixture(scope="module")
def turned(face):
    return replace(face, rotation=torch.tensor([[0.1, 0.35, -0.05]]))


def screen(points, shift, camera=CAMERA):
    return camera.project((points + torch.tensor(shift))[None])


def centres(size=SIZE):
    y, x = torch.meshgrid(*(torch.arange(n) + 0.5 for n in size), indexing="ij")
    return torch.stack([x, y], dim=-1)


def test_the_same_parameters_give_no_flow_and_hide_nothing(toy, face):
    found = flow_of_parameters(toy, face, face, CAMERA)
    assert found.flow.abs().max() < 1e-4
    assert torch.equal(found.visible, found.covered)
    assert found.covered.float().mean() > 0.1


def test_the_flow_of_a_turned_card_is_its_homography():
    """Two flat pictures of a plane: four corners say where everything is."""
    turn = torch.tensor([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])
    source = screen(CARD, [5.0, -3.0, -400.0])
    target = screen(CARD @ turn.T, [0.0, 0.0, -500.0])
    found = flow_between(HALVES, source, target, SIZE)
    shown = rasterize(target, HALVES, SIZE)
    there = torch.cat([centres(), shown.depth[0, ..., None]], dim=-1)[shown.mask[0]]
    card = (CAMERA.unproject(there) + torch.tensor([0.0, 0.0, 500.0])) @ turn
    wanted = CAMERA.project(card + torch.tensor([5.0, -3.0, -400.0]))[:, :2] - there[:, :2]
    torch.testing.assert_close(found.flow[shown.mask], wanted, atol=2e-4, rtol=0)
    assert found.visible[shown.mask].all()


def test_a_weak_perspective_card_that_moves_has_a_constant_flow():
    weak = replace(CAMERA, weak_depth=torch.tensor(500.0))
    tilted = CARD + torch.tensor([[0.0, 0, 10], [0, 0, 30], [0, 0, 50], [0, 0, 30]])
    source = screen(tilted, [10.0, -20.0, -400.0], weak)
    target = screen(tilted, [0.0, 0.0, -700.0], weak)
    found = flow_between(HALVES, source, target, SIZE, perspective=False)
    wanted = torch.tensor([10.0, 20.0]) * 110 / 500
    torch.testing.assert_close(
        found.flow[found.covered], wanted.expand(int(found.covered.sum()), 2), atol=1e-4, rtol=0
    )


def test_there_and_back_returns_every_point_that_both_pictures_show(toy, face, turned):
    there = flow_of_parameters(toy, face, turned, CAMERA)
    back = flow_of_parameters(toy, turned, face, CAMERA)
    safe = warp_by_flow(back.visible[..., None].float(), there.flow)[..., 0] == 1
    both = there.visible & safe
    returned = there.flow + warp_by_flow(back.flow, there.flow)
    off = returned.norm(dim=-1)[both]
    assert both.float().sum() > 0.7 * there.covered.float().sum()
    assert off.median() < 0.02
    assert off.quantile(0.95) < 0.2


def test_the_warped_source_looks_like_the_target(toy, face, turned):
    """With the position on the mean as colour, which light and pose leave alone."""
    found = flow_of_parameters(toy, face, turned, CAMERA)

    def picture(parameters):
        points = CAMERA.project(posed(toy, parameters))
        return interpolate(
            toy.identity.mean[None] / 100, toy.faces, rasterize(points, toy.faces, SIZE)
        )

    off = (warp_by_flow(picture(face), found.flow) - picture(turned)).abs().amax(-1)
    inner = found.visible & (off < 0.2)
    assert inner.sum() > 0.93 * found.visible.sum()
    assert off[inner].mean() < 0.01


def test_what_a_nearer_card_hides_is_not_visible():
    behind = CARD * 0.5 - torch.tensor([0.0, 0, 50.0])
    both, faces = torch.cat([CARD, behind]), torch.cat([HALVES, HALVES + 4])
    aside = torch.cat([CARD - torch.tensor([500.0, 0, 0]), behind])
    hidden = flow_between(faces, screen(both, [0.0, 0, -400]), screen(aside, [0.0, 0, -400]), SIZE)
    assert hidden.covered.any()
    assert not hidden.visible.any()
    shown = flow_between(faces, screen(aside, [0.0, 0, -400]), screen(aside, [0.0, 0, -400]), SIZE)
    assert torch.equal(shown.visible, shown.covered)


def test_what_shows_its_other_side_or_lies_outside_the_source_is_not_visible():
    front, back = (
        screen(CARD, [0.0, 0, -400]),
        screen(CARD * torch.tensor([-1.0, 1, 1]), [0, 0, -400]),
    )
    assert not flow_between(HALVES, front, back, SIZE).visible.any()
    far = screen(CARD, [61.0, 0, -400])
    found = flow_between(HALVES, far, front, SIZE)
    column = centres()[..., 0] + 61 * 110 / 400
    assert torch.equal(found.visible[0], found.covered[0] & (column < 64))


def test_a_batch_equals_its_frames_alone_and_one_source_serves_all(toy, face, turned):
    target = replace(
        face,
        **{
            n: torch.cat([getattr(face, n), getattr(turned, n)])
            for n in ("expression", "illumination", "rotation", "translation", "gaze")
        },
    )
    together = flow_of_parameters(toy, turned, target, CAMERA)
    for frame in range(2):
        alone = flow_of_parameters(toy, turned, target[frame], CAMERA)
        torch.testing.assert_close(together[frame].flow, alone.flow, atol=1e-4, rtol=0)
        assert (together[frame].visible != alone.visible).float().mean() < 1e-3


def test_no_flow_returns_the_picture_bit_by_bit(rng):
    picture = torch.rand(2, 9, 13, 3, generator=rng)
    assert torch.equal(warp_by_flow(picture, torch.zeros(2, 9, 13, 2)), picture)


def test_a_whole_number_of_pixels_is_an_exact_roll_away_from_borders(rng):
    picture = torch.rand(1, 20, 24, 3, generator=rng)
    warped = warp_by_flow(picture, torch.tensor([3.0, -2.0]).expand(1, 20, 24, 2))
    rolled = torch.roll(picture, (2, -3), (1, 2))
    assert torch.equal(warped[:, 2:, :-3], rolled[:, 2:, :-3])


def test_half_a_pixel_is_the_mean_of_two_and_the_border_goes_on(rng):
    picture = torch.rand(1, 5, 6, 1, generator=rng)
    warped = warp_by_flow(picture, torch.tensor([0.5, 0.0]).expand(1, 5, 6, 2))
    torch.testing.assert_close(warped[:, :, :-1], (picture[:, :, 1:] + picture[:, :, :-1]) / 2)
    assert torch.equal(warped[:, :, -1], picture[:, :, -1])


def test_warping_and_flow_have_the_gradients_of_finite_differences(rng):
    picture = torch.rand(1, 6, 7, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    flow = torch.rand(1, 6, 7, 2, generator=rng, dtype=torch.float64) * 0.8 + 0.1
    assert torch.autograd.gradcheck(warp_by_flow, (picture, flow.requires_grad_()))
    source = screen(CARD, [5.0, -3.0, -400.0]).double().requires_grad_()
    target = screen(CARD, [0.3, 0.2, -420.0]).double().requires_grad_()
    small = (6, 8)

    def flowing(source, target):
        return flow_between(HALVES, source, target, small).flow

    assert torch.autograd.gradcheck(flowing, (source, target))


@pytest.mark.refusal
def test_sequences_of_different_length_are_refused(toy, face):
    three, two = (
        FaceParameters.neutral(identity=6, expression=4, reflectance=3, frames=n) for n in (3, 2)
    )
    with pytest.raises(ShapeError, match="source and target must have as many frames.* 3 and 2"):
        flow_of_parameters(toy, three, two, CAMERA)
    with pytest.raises(ShapeError, match="source and target must have as many pictures"):
        flow_between(HALVES, torch.ones(3, 4, 3), torch.ones(2, 4, 3), SIZE)
    with pytest.raises(ShapeError, match="picture and flow must have as many frames.* 3 and 2"):
        warp_by_flow(torch.ones(3, 4, 4, 1), torch.zeros(2, 4, 4, 2))


@pytest.mark.refusal
def test_two_kinds_of_camera_and_another_models_parameters_are_refused(toy, face):
    weak = replace(CAMERA, weak_depth=torch.tensor(500.0))
    with pytest.raises(ParameterError, match="must both be perspective or both weak"):
        flow_of_parameters(toy, face, face, CAMERA, source_camera=weak)
    other = FaceParameters.neutral(identity=80)
    with pytest.raises(ParameterError, match="has 80 identity coefficients, but model 'toy' has 6"):
        flow_of_parameters(toy, other, face, CAMERA)
    three = replace(CAMERA, focal=torch.full((3,), 110.0), principal=torch.full((3, 2), 32.0))
    with pytest.raises(ShapeError, match="one for each of 1 frames, got focal of shape"):
        flow_of_parameters(toy, face, face, three)
