import math

import pytest
import torch
from torch.nn.functional import conv2d

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate import Lia, config_of, load_generator, quickened, save_generator
from morphface.generate.networks import StyleJudge, relative_motion
from morphface.generate.networks.equalised import EqualConv, ModulatedConv
from morphface.generate.networks.lia import taught_motion
from morphface.generate.networks.style_judge import spread_within
from morphface.generate.networks.warp import warped
from tests.generate.people import SIDE, parameters, smooth, take_of

PUBLISHED = config_of("lia")
CONFIG = config_of("lia", resolution=SIDE, width=4)
WIDTHS = (64, 128, 256, 512, 512, 512, 512)


def test_first_numbers_that_are_taught_stand_for_those_that_are_read():
    read, photo = torch.arange(10.0).reshape(2, 5), -torch.ones(1, 5)
    taught = torch.tensor([[7.0, 8.0], [math.nan, 8.0]])
    found = taught_motion(read, photo, taught)
    assert found[0].tolist() == [7.0, 8.0, -1.0, -1.0, -1.0]
    assert torch.equal(found[1], read[1])
    assert torch.equal(taught_motion(read, photo, None), read)


def test_a_frame_that_is_taught_all_is_driven_by_nothing_else():
    made, take = made_with(), take_of(1, 2)
    wanted = torch.randn(2, 20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        told = made(take.window, take.references, driving=take.frame, taught=wanted)
        assert torch.equal(told, made(take.window, take.references, wanted))


def made_with(**options):
    torch.manual_seed(0)
    return Lia(CONFIG.replace(**options)).eval()


def block(a, b):
    return 9 * a * a + a + 9 * a * b + b + a * b


def styled(a, b, size=3):
    return a * b * size**2 + 512 * a + a + b


def test_the_published_networks_have_the_published_layers():
    with torch.device("meta"):
        made, judge = Lia(PUBLISHED), StyleJudge(PUBLISHED)
        code, pyramid = made.look(torch.empty(1, 3, 256, 256))
    halvings = sum(block(a, b) for a, b in zip(WIDTHS[:-1], WIDTHS[1:], strict=True))
    ends = 3 * 64 + 64
    assert parameters(made.look) == ends + halvings + 512 * 512 * 16
    assert parameters(made.steps) == 4 * (512 * 512 + 512) + 512 * 20 + 20
    assert made.basis.shape == (512, 20)
    pairs = list(zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True))
    levels = sum(styled(a, b) + styled(b, b) + styled(b, 3, 1) + 3 * b + 3 for a, b in pairs)
    assert parameters(made.draw) == 512 * 16 + styled(512, 512) + levels
    assert len(made.draw.levels) == 6
    assert code.shape == (1, 512)
    sizes = [(64, 256), (128, 128), (256, 64), (512, 32), (512, 16), (512, 8)]
    assert [tuple(part.shape[1:3]) for part in pyramid] == sizes
    last = 513 * 512 * 9 + 512 + 512 * 512 * 16 + 512 + 513
    assert parameters(judge) == ends + halvings + last


def test_every_parameter_learns():
    made, take = made_with().train(), take_of(1, 2)
    out = made(take.window, take.references, driving=take.frame, details=True)
    (sum((part - take.frame).square().mean() for part in (out.frame, *out.photos))).backward()
    dead = [n for n, p in made.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert dead == []
    judge = StyleJudge(CONFIG)
    judge(take.window, torch.cat([take.frame] * 2), take.mouth, take.style)[0][0][
        -1
    ].sum().backward()
    assert all(p.grad.abs().max() > 0 for p in judge.parameters())


def test_directions_are_orthonormal_after_steps_too():
    made, take = made_with().train(), take_of(2, 2)
    optimizer = torch.optim.Adam(made.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        made(take.window, take.references, driving=take.frame).square().mean().backward()
        optimizer.step()
    torch.testing.assert_close(made.directions.T @ made.directions, torch.eye(20))
    basis = made.basis.detach()
    assert float((basis.T @ basis - torch.eye(20)).abs().max()) > 0.1


def test_no_motion_is_the_code_of_the_photo_alone():
    made, take = made_with(), take_of(3)
    with torch.no_grad():
        still = made(take.window, take.references, torch.zeros(1, 20))
        known = made.encode(take.references[0])
        assert torch.equal(still, made.draw(known.code, known.features)[0])
        moved = known.code + 0.7 * made.directions[:, 4]
        step = torch.zeros(1, 20)
        step[0, 4] = 0.7
        torch.testing.assert_close(
            made(take.window, take.references, step), made.draw(moved, known.features)[0]
        )


def test_a_driver_that_does_not_move_gives_the_photo_its_own_motion():
    made, take = made_with(), take_of(4, 3)
    with torch.no_grad():
        own = made.encode(take.references[0]).motion
        driver = made.motion(take.frame)
        assert torch.equal(relative_motion(own, driver[:1], driver[:1]), own)
        made_by = made(take.window, take.references, driving=take.frame)
        torch.testing.assert_close(made(take.window, take.references, driver), made_by)
        again = made(
            take.window, take.references, driving=take.references[0].photo.expand(3, -1, -1, -1)
        )
        torch.testing.assert_close(
            again, made(take.window, take.references, own.expand(3, -1)), rtol=0, atol=1e-5
        )


def test_flow_of_nothing_moves_no_pixel():
    made, take = made_with(), take_of(5)
    for level in made.draw.levels:
        torch.nn.init.zeros_(level.moves.weight)
    with torch.no_grad():
        out = made(take.window, take.references, torch.zeros(1, 20), details=True)
    assert torch.equal(out.flows[0], torch.zeros(1, 2, SIDE, SIDE))
    torch.testing.assert_close(out.photos[0], take.references[0].photo)
    assert torch.equal(out.photos[0], warped(take.references[0].photo, out.flows[0]))


def test_the_same_photo_is_encoded_once_and_a_checkpoint_comes_back(tmp_path):
    made, take = made_with(), take_of(6, 2)
    save_generator(tmp_path / "generator.safetensors", made)
    again = load_generator(tmp_path / "generator.safetensors")
    assert again.config == made.config
    motion = torch.randn(2, 20, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        known = [made.encode(take.references[0])]
        wanted = made(take.window, take.references, motion, features=known)
        assert torch.equal(again(take.window, take.references, motion), wanted)
        half = quickened(made, bfloat16=True)(take.window, take.references, motion)
    assert float((half - wanted).abs().mean()) < 0.05 * float(wanted.abs().mean()) + 0.01


def test_a_blend_begins_as_the_photo_and_paints_what_is_drawn():
    made, take = made_with(blend=True), take_of(5)
    for level in made.draw.levels:
        torch.nn.init.zeros_(level.moves.weight)
    with torch.no_grad():
        out = made(take.window, take.references, torch.zeros(1, 20), details=True)
        for level in made.draw.levels:
            torch.nn.init.zeros_(level.colours.weight)
        bare = made(take.window, take.references, torch.zeros(1, 20))
    photo = take.references[0].photo
    torch.testing.assert_close(bare, photo)
    assert 0 < float((out.frame - photo).abs().mean()) < 0.5
    torch.testing.assert_close(out.photos[0], photo)


@pytest.mark.parametrize("blend", [False, True])
def test_a_blend_alone_has_colours_where_the_photo_is_masked_out(blend):
    made, take = made_with(blend=blend), take_of(5)
    for level in made.draw.levels:
        torch.nn.init.zeros_(level.moves.weight)
        with torch.no_grad():
            level.bias[2] = -30.0
    with torch.no_grad():
        features = made.encode(take.references[0]).features
        codes = torch.eye(2, len(made.basis))[:, None]
        frames = [made.draw(code, features)[0] for code in codes]
    assert (float((frames[0] - frames[1]).abs().max()) > 1e-3) == blend


def test_modulation_is_that_of_weights_for_each_picture():
    rng = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    layer = ModulatedConv(5, 7, 3, 6)
    features, style = smooth(rng, 2, 5), torch.randn(2, 6, generator=rng)
    for picture, vector, found in zip(features, style, layer(features, style), strict=True):
        weight = layer.weight / math.sqrt(45) * layer.modulation(vector[None])[0][:, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        torch.testing.assert_close(found, conv2d(picture[None], weight, padding=1)[0])


def test_halving_and_doubling_keep_what_is_plain_and_where_it_is():
    layer = EqualConv(1, 1, 1, halving=True)
    torch.nn.init.ones_(layer.weight)
    ramp = (torch.arange(16.0) + 0.5).expand(1, 1, 16, 16)
    found = layer(ramp)[..., 2:-2, 2:-2]
    torch.testing.assert_close(found, 2 * (torch.arange(8.0) + 0.5)[2:-2].expand(1, 1, 4, 4))
    double = ModulatedConv(1, 1, 3, 1, doubling=True, demodulated=False)
    torch.nn.init.zeros_(double.weight)
    torch.nn.init.zeros_(double.modulation.weight)
    with torch.no_grad():
        double.weight[..., 1, 1] = 3.0
    wide = double(ramp, torch.zeros(1, 1))[..., 4:-4, 4:-4]
    torch.testing.assert_close(wide, (torch.arange(32.0) / 2 + 0.25)[4:-4].expand(1, 1, 24, 24))


def test_spread_is_within_groups_that_do_not_mix_halves():
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(16, 3, 4, 4, generator=rng)
    found = spread_within(features)
    wanted = (features[4:8].var(0, unbiased=False) + 1e-8).sqrt().mean()
    torch.testing.assert_close(found[5], wanted.expand(1, 4, 4))
    assert float(spread_within(features[:6]).max()) < 1e-3  # three and three: no group fits


@pytest.mark.refusal
def test_what_does_not_fit_is_refused():
    made, take = made_with(), take_of(7, references=2)
    with pytest.raises(ParameterError, match="references must be one photo for lia, got 2"):
        made(take.window, take.references, torch.zeros(1, 20))
    with pytest.raises(ParameterError, match="style must be given, 20 numbers of a motion, or dri"):
        made(take.window, take.references[:1])
    with pytest.raises(ShapeError, match="style must have shape"):
        made(take.window, take.references[:1], torch.zeros(1, 4))
    with pytest.raises(ParameterError, match="style must be motion alone for lia, got"):
        Lia(CONFIG.replace(style=("sound",), style_sizes=(3,)))
    with pytest.raises(ParameterError, match="maps must be names, each once"):
        config_of("headgan", maps=(), channels=())
