from dataclasses import replace

import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate import (
    Dagan,
    PointJudge,
    config_of,
    load_generator,
    quickened,
    save_generator,
)
from morphface.generate.networks.attention import DepthAttention, attended
from morphface.generate.networks.dagan import plane_filled
from morphface.generate.networks.dense_motion import candidates, heat_maps
from morphface.generate.networks.warp import warped
from tests.generate.people import POINTS, SIDE, conv, parameters, pointed, smooth

CONFIG = config_of("dagan", resolution=SIDE, width=4, style_sizes=(8 * POINTS,), norm="instance")
PUBLISHED = config_of("dagan", flow_prior=False)


def made_with(**options):
    torch.manual_seed(0)
    return Dagan(CONFIG.replace(**options)).eval()


def learned(**options):
    """The configuration that needs no fit."""
    options = {"keypoints": "learned", "depth": "learned", "style_sizes": (6 * POINTS,)} | options
    return config_of("dagan", resolution=SIDE, width=4, norm="instance", **options)


def bare(take):
    """A take without maps and points."""
    one = replace(take.references[0], maps=take.references[0].maps[:, :0])
    return replace(
        take, references=(one,), window=take.window[:, :0], style=torch.zeros(len(take.frame), 0)
    )


@pytest.mark.parametrize("depth", ["raster", "learned"])
def test_points_that_are_found_learn_from_the_frame_and_depth_stays(depth):
    torch.manual_seed(0)
    made, take = Dagan(learned(depth=depth)).train(), pointed(1, 2)
    take = take if depth == "raster" else bare(take)
    torch.nn.init.ones_(made.attend.gain)
    out = made(take.window, take.references, driving=take.frame, details=True)
    assert set(out.terms) == {"equivariance", "equivariance_turn", "apart"}
    far = [(part - take.frame).square().mean() for part in (out.frame, *out.photos)]
    torch.stack([*far, *out.terms.values()]).sum().backward()
    alive = {n for n, p in made.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert {n for n, _ in made.named_parameters() if not n.startswith("sight.")} == alive


def test_frames_of_a_driver_say_what_their_points_say():
    torch.manual_seed(0)
    made, take = Dagan(learned()).eval(), bare(pointed(9, 2))
    with torch.no_grad():
        driven = made(take.window, take.references, driving=take.frame)
        points = made.motion(take.frame)
        known = [made.encode(take.references[0])]
        told = made(take.window, take.references, points, features=known)
        torch.testing.assert_close(told, driven)
        own = known[0].motion
        torch.testing.assert_close(made.relative(own, points[:1], points[:1]), own)
        still = made(take.window, take.references, own.expand(2, -1), details=True)
    photo = take.references[0].photo.expand(2, -1, -1, -1)
    torch.testing.assert_close(still.photos[0], photo, rtol=0, atol=1e-3)


def test_what_was_learnt_lies_in_the_checkpoint(tmp_path):
    torch.manual_seed(0)
    made, take = Dagan(learned()).eval(), bare(pointed(10, 2))
    save_generator(tmp_path / "generator.safetensors", made)
    again = load_generator(tmp_path / "generator.safetensors")
    with torch.no_grad():
        wanted = made(take.window, take.references, driving=take.frame)
        assert torch.equal(again(take.window, take.references, driving=take.frame), wanted)
        half = quickened(made, bfloat16=True)
        assert half.points.heat.weight.dtype == torch.float32
        quick = half(take.window, take.references, half.motion(take.frame))
    assert float((quick - wanted).abs().mean()) < 0.02


def block(inputs, outputs, size=3):
    return conv(inputs, outputs, size) + 2 * outputs


def test_the_published_networks_have_the_published_layers():
    with torch.device("meta"):
        made = Dagan(PUBLISHED)
        judge = PointJudge(PUBLISHED.replace(style_sizes=(80,)))
    down, inputs = (128, 256, 512, 1024, 1024), 16 * 4
    look = sum(block(a, b) for a, b in zip((inputs, *down[:-1]), down, strict=True))
    up = ((1024, 1024), (2048, 512), (1024, 256), (512, 128), (256, 64))
    look += sum(block(a, b) for a, b in up)
    assert parameters(made.move) == look + conv(64 + inputs, 16, 7) + conv(64 + inputs, 1, 7)
    assert parameters(made.colours) == block(3, 64, 7) + block(64, 128) + block(128, 256)
    assert parameters(made.attend) == 2 * conv(256, 32, 1) + conv(256, 256, 1) + 1
    assert parameters(made.residuals) == 6 * 2 * block(256, 256)
    assert parameters(made.up) + parameters(made.last) == block(256, 128) + block(128, 64) + conv(
        64, 3, 7
    )
    widths = (13, 32, 64, 128, 256)
    layers = sum(conv(a, b, 4) for a, b in zip(widths[:-1], widths[1:], strict=True))
    assert parameters(judge) == layers + 2 * (64 + 128 + 256) + conv(256, 1, 1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"blend": True},
        {"flow_prior": False},
        {"attention": "picture"},
        {"attention": "none"},
    ],
)
def test_every_parameter_learns(options):
    made, take = made_with(**options).train(), pointed(1, 2)
    if made.attend is not None:
        torch.nn.init.ones_(made.attend.gain)
    out = made(take.window, take.references, take.style, details=True)
    sum((part - take.frame).square().mean() for part in (out.frame, *out.photos)).backward()
    dead = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert dead == []


def test_motion_about_a_point_is_that_of_its_map():
    style = torch.tensor([[0.1, -0.2, 0.3, 0.1, 1.1, 0.2, -0.1, 0.9]])
    flows, near = candidates(style, 32)
    assert torch.equal(flows[:, 0], torch.zeros(1, 2, 32, 32))
    y, x = 20, 9
    z = torch.tensor([(x + 0.5) / 16 - 1, (y + 0.5) / 16 - 1])
    goal = style[0, 2:4] + style[0, 4:].reshape(2, 2) @ (z - style[0, :2])
    torch.testing.assert_close(flows[0, 1, :, y, x], (goal - z) * 16)
    torch.testing.assert_close(
        near[:, 1],
        heat_maps(style[:, None, :2], 32)[:, 0] - heat_maps(style[:, None, 2:4], 32)[:, 0],
    )


def test_points_that_do_not_move_leave_the_photo_where_it_is():
    made, take = made_with(flow_prior=False), pointed(2)
    still = torch.tensor([0.1, 0.2, 0.1, 0.2, 1.0, 0.0, 0.0, 1.0]).repeat(1, POINTS)
    with torch.no_grad():
        out = made(take.window, take.references, still, details=True)
    torch.testing.assert_close(out.photos[0], take.references[0].photo, rtol=0, atol=1e-4)


def test_with_the_prior_it_begins_as_the_photo_moved_by_the_mesh():
    made, take = made_with(blend=True), pointed(3)
    with torch.no_grad():
        out = made(take.window, take.references, take.style, details=True)
    photo, flow = take.references[0].photo, take.references[0].flow
    wanted, copied = warped(photo, flow), photo
    assert float((out.photos[0] - wanted).abs().mean()) < 0.5 * float(
        (copied - wanted).abs().mean()
    )


@pytest.mark.parametrize("together", [7, 64, 4096])
def test_attention_is_that_of_the_naive_way(together):
    rng = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 64, c, generator=rng).requires_grad_() for c in (3, 3, 5))
    found = attended(query, key, value, together)
    wanted = torch.einsum(
        "bpq,bqc->bpc", torch.einsum("bpk,bqk->bpq", query, key).softmax(2), value
    )
    torch.testing.assert_close(found, wanted)
    grads = [
        torch.autograd.grad(some.square().sum(), (query, key, value)) for some in (found, wanted)
    ]
    for here, there in zip(*grads, strict=True):
        torch.testing.assert_close(here, there)


def test_attention_begins_as_nothing():
    torch.manual_seed(0)
    block, rng = DepthAttention(8), torch.Generator().manual_seed(1)
    depth, picture = smooth(rng, 1, 8), smooth(rng, 1, 8)
    assert torch.equal(block(depth, picture), picture)


@pytest.mark.parametrize(("attention", "matters"), [("depth", True), ("picture", False)])
def test_depth_matters_where_it_asks_alone(attention, matters):
    made, take = made_with(attention=attention), pointed(7)
    torch.nn.init.ones_(made.attend.gain)
    one = take.references[0]
    flat = replace(one, maps=torch.ones_like(one.maps))
    with torch.no_grad():
        frames = [made(take.window, (photo,), take.style) for photo in (one, flat)]
    assert torch.equal(*frames) != matters


def test_without_attention_it_paints_as_where_attention_finds_nothing():
    asked, take = made_with(), pointed(8)
    bare = made_with(attention="none")
    bare.load_state_dict(
        {k: v for k, v in asked.state_dict().items() if not k.startswith(("relief", "attend"))}
    )
    with torch.no_grad():
        frames = [made(take.window, take.references, take.style) for made in (asked, bare)]
    assert torch.equal(*frames)


def test_depth_goes_on_as_the_plane_of_the_surface():
    y, x = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    plane = (0.5 + 0.2 * x - 0.1 * y)[None, None]
    mask = ((x.square() + y.square()) < 0.4).float()[None, None]
    found = plane_filled(plane * mask, mask)
    torch.testing.assert_close(found, plane, rtol=0, atol=0.01)


def test_features_serve_all_frames_and_a_checkpoint_comes_back(tmp_path):
    made, take = made_with(norm="batch"), pointed(4, 2)
    save_generator(tmp_path / "generator.safetensors", made)
    again = load_generator(tmp_path / "generator.safetensors")
    with torch.no_grad():
        known = [made.encode(take.references[0])]
        wanted = made(take.window, take.references, take.style, features=known)
        assert torch.equal(again(take.window, take.references, take.style), wanted)
        quick = quickened(made, bfloat16=False)(take.window, take.references, take.style)
        torch.testing.assert_close(quick, wanted, rtol=0, atol=1e-4)
        half = quickened(made, bfloat16=True)(take.window, take.references, take.style)
    assert float((half - wanted).abs().mean()) < 0.02


def test_the_judge_looks_at_where_points_are():
    torch.manual_seed(0)
    judge, take = PointJudge(CONFIG), pointed(5, 2)
    verdicts = [
        judge(take.window, take.frame, take.mouth, style)[0][0]
        for style in (take.style, -take.style)
    ]
    assert float((verdicts[0][-1] - verdicts[1][-1]).detach().abs().max()) > 1e-4
    assert len(verdicts[0]) == 5


@pytest.mark.refusal
def test_what_does_not_fit_is_refused():
    made, take = made_with(), pointed(6)
    with pytest.raises(ParameterError, match="references must be one photo for dagan, got 2"):
        made(take.window, take.references * 2, take.style)
    with pytest.raises(ParameterError, match="style must be given, 40 numbers of key points"):
        made(take.window, take.references)
    with pytest.raises(ShapeError, match="style must have shape"):
        made(take.window, take.references, take.style[:, :8])
    wrong = replace(take.references[0], maps=take.references[0].maps[:, :1])
    with pytest.raises(ShapeError, match="maps must have shape"):
        made(take.window, (wrong,), take.style)
    with pytest.raises(
        ParameterError, match="maps must be depth and mask and style points for dag"
    ):
        Dagan(CONFIG.replace(maps=("depth",), channels=(1,)))
    with pytest.raises(ParameterError, match="maps must be none and style motion for dagan with"):
        Dagan(learned().replace(style=("points",)))
    with pytest.raises(ParameterError, match="flow_prior must be off where keypoints are learned"):
        Dagan(learned().replace(flow_prior=True))
    found = Dagan(learned())
    with pytest.raises(ParameterError, match="30 numbers of key points, or driving frames to find"):
        found(take.window, take.references)
    with pytest.raises(ShapeError, match="style must have shape"):
        found(take.window, take.references, take.style)
