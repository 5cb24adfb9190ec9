"""The flow of a mesh beyond the mesh, and what one-shot generators are told of a head."""

from dataclasses import replace

import pytest
import torch
from scipy.ndimage import binary_erosion

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate import Reference, Take
from morphface.generate.mirror import mirrored_take
from morphface.geometry.camera import Camera
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.render import Flow, Sitter, flow_prior, render_maps, warp_by_flow

SIZE = 32


def known(values, covered):
    """A flow that is known, and seen, where `covered` says."""
    return Flow(values * covered[..., None], covered, covered.clone())


@pytest.fixture
def square():
    covered = torch.zeros(1, SIZE, SIZE, dtype=torch.bool)
    covered[:, 12:20, 10:16] = True
    return covered


def poses(yaw=0.0, jaw=0.0):
    face = FaceParameters.neutral()
    expression = face.expression.clone()
    expression[:, load_model().expression.names.index("jawOpen")] = jaw
    rotation = torch.tensor([[0.0, yaw, 0.0]])
    return replace(face, rotation=rotation, expression=expression)


def test_on_the_mesh_the_flow_stays_and_beyond_it_a_constant_goes_on(square):
    values = torch.tensor([3.0, -2.0]).expand(1, SIZE, SIZE, 2)
    found = flow_prior(known(values, square))
    torch.testing.assert_close(found.flow, values.clone(), rtol=1e-5, atol=1e-4)


def test_beyond_the_mesh_flow_lies_between_those_that_are_known(square):
    values = torch.randn(1, SIZE, SIZE, 2, generator=torch.Generator().manual_seed(0))
    flow = known(values, square)
    found = flow_prior(flow)
    assert torch.equal(found.flow[square], flow.flow[square])
    low, high = flow.flow[square].amin(0), flow.flow[square].amax(0)
    assert ((found.flow >= low - 1e-5) & (found.flow <= high + 1e-5)).all()


def test_each_side_follows_its_own_neighbour():
    covered = torch.zeros(1, SIZE, SIZE, dtype=torch.bool)
    covered[:, :, :4], covered[:, :, -4:] = True, True
    values = torch.zeros(1, SIZE, SIZE, 2)
    values[:, :, : SIZE // 2, 0], values[:, :, SIZE // 2 :, 0] = 1.0, -1.0
    across = flow_prior(known(values, covered)).flow[0, SIZE // 2, :, 0]
    assert (across[:8] > 0.8).all()
    assert (across[-8:] < -0.8).all()
    assert (across.diff() <= 1e-5).all()


def test_what_is_hidden_or_must_not_be_taken_is_not_valid(square):
    flow = known(torch.zeros(1, SIZE, SIZE, 2), square)
    unseen = torch.zeros_like(square)
    unseen[:, 14, 12] = True
    flow.visible[:, 15, 12] = False
    valid = flow_prior(flow, unseen).valid[0]
    assert valid[14, 12] == valid[15, 12] == 0
    assert float(valid[square[0]].sum()) == square.sum() - 2
    away = valid[15, 16:]
    assert (away.diff() <= 1e-6).all()
    assert away[0] > 0.3
    assert away[-1] == 0


def test_a_picture_without_a_head_has_no_flow():
    nothing = torch.zeros(1, SIZE, SIZE, dtype=torch.bool)
    found = flow_prior(known(torch.zeros(1, SIZE, SIZE, 2), nothing))
    assert not found.flow.any()
    assert not found.valid.any()


@pytest.mark.parametrize(("size", "least"), [(512, 35.0), (64, 28.0)])
def test_an_unlit_head_moved_by_the_prior_is_the_turned_one(size, least):
    model, camera = load_model(), Camera.facing((size, size), focal=2.2 * size)
    sitter = Sitter(model, camera)
    photo, frame = sitter.scene(poses()), sitter.scene(poses(0.25, 0.2))
    prior = sitter.between(photo, frame).prior
    shown = [
        render_maps(model, p, camera, ("albedo",))["albedo"] for p in (poses(), poses(0.25, 0.2))
    ]
    seen = torch.from_numpy(
        binary_erosion((frame.fragments.mask[0] & (prior.valid[0] == 1)).numpy())
    )
    far = (warp_by_flow(shown[0], prior.flow)[0] - shown[1][0])[seen]
    assert float(-10 * far.square().mean().log10()) >= least


def test_an_open_mouth_is_not_to_be_taken_from_a_closed_one():
    camera = Camera.facing((64, 64), focal=2.2 * 64)
    sitter = Sitter(load_model(), camera)
    closed, opened = sitter.scene(poses()), sitter.scene(poses(jaw=0.8))
    told = sitter.between(closed, opened)
    x, y = told.mouth[0].long().tolist()
    assert told.prior.valid[0, y - 1 : y + 2, x - 1 : x + 2].max() == 0
    assert sitter.between(closed, closed).prior.valid[0, y - 12, x] == 1


def take_of(yaw):
    """A take of the mean head, which is its own mirror image, turned from one side."""
    sitter = Sitter(load_model(), Camera.facing((64, 64), focal=2.2 * 64))
    photo, frame = sitter.scene(poses()), sitter.scene(poses(yaw))
    told = sitter.between(photo, frame)
    maps = told.maps.permute(0, 3, 1, 2)
    picture = torch.zeros(1, 3, 64, 64)
    reference = Reference(
        picture,
        sitter.maps(photo).permute(0, 3, 1, 2),
        picture[:, :1],
        told.prior.flow.permute(0, 3, 1, 2),
        told.prior.valid[:, None],
    )
    return Take((reference,), maps, picture, picture[:, :1], told.mouth, torch.zeros(1, 0))


def test_the_mirror_image_of_a_turned_head_is_the_head_turned_the_other_way():
    here, there = take_of(0.3), mirrored_take(take_of(-0.3), ("correspondence",), (3,))
    inner = ((here.window.sum(1) > 0) & (there.window.sum(1) > 0)).float()
    assert inner.mean() > 0.15
    apart = (here.window - there.window).abs().amax(1) * inner
    assert float(apart.median()) < 0.01
    assert float(apart.sum() / inner.sum()) < 0.02
    flows = (one.references[0].flow for one in (here, there))
    far = torch.sub(*flows).norm(dim=1) * inner
    assert float(far.sum() / inner.sum()) < 0.3
    torch.testing.assert_close(here.mouth, there.mouth, rtol=0, atol=0.5)


@pytest.mark.refusal
def test_what_does_not_fit_is_refused(square):
    with pytest.raises(ShapeError, match="unseen must have shape"):
        flow_prior(known(torch.zeros(1, SIZE, SIZE, 2), square), square[:, 1:])
    with pytest.raises(
        ParameterError, match="maps must be of correspondence, gaze, depth, mask, got normal"
    ):
        Sitter(load_model(), Camera.facing((64, 64), focal=140.0), ("normal",))
