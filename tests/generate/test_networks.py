import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate.config import GeneratorConfig
from morphface.generate.generator import Generator, make_generator
from morphface.generate.networks import PatchDiscriminator

SMALL = {"resolution": 32, "width": 4}


def window_for(config, batch=2):
    rng = torch.Generator().manual_seed(1)
    side = config.resolution
    return torch.rand(batch, config.window_channels, side, side, generator=rng) * 2 - 1


@pytest.mark.slow
def test_the_published_network_has_the_published_shapes():
    generator = make_generator("dvp", resolution=256).eval()
    widths = [module[0].out_channels for module in generator.down]
    assert generator.config.window_channels == 99
    assert widths == [64, 128, 256, 512, 512, 512, 512, 512]
    raised = [module[0].out_channels for module in generator.up]
    assert [*raised, generator.last[0].out_channels] == [512, 512, 512, 512, 256, 128, 64, 3]
    with torch.no_grad():
        made = generator(window_for(generator.config, 1))
    assert made.shape == (1, 3, 256, 256)
    assert float(made.abs().max()) <= 1


@pytest.mark.slow
def test_parameters_are_as_many_as_the_channels_say():
    def convolution(a, b, size, bias=False):
        return a * b * size**2 + b * bias

    down = [99, 64, 128, 256, 512, 512, 512, 512, 512]
    sources = [512, *[1024] * 4, 512, 256]
    raised = [512, 512, 512, 512, 256, 128, 64]
    count = sum(convolution(a, b, 4) for a, b in zip(down, down[1:], strict=False)) + 64
    count += sum(2 * width for width in down[2:])
    for a, b in zip(sources[:1] + [1024, 1024, 1024, 1024, 512, 256], raised, strict=True):
        count += convolution(a, b, 4) + 2 * convolution(b, b, 3) + 3 * 2 * b
    count += convolution(128, 3, 4, bias=True)
    generator = make_generator("dvp", resolution=256)
    assert sum(parameter.numel() for parameter in generator.parameters()) == count


def test_the_judge_has_as_many_parameters_as_its_channels_say():
    widths = [99 + 3, 64, 128, 256, 512]
    taps = [16 * a * b for a, b in zip(widths, [*widths[1:], 1], strict=True)]
    biases, norms = 64 + 1, 2 * (128 + 256 + 512)
    with torch.device("meta"):
        judge = PatchDiscriminator(GeneratorConfig(resolution=256))
    count = sum(parameter.numel() for parameter in judge.parameters())
    assert count == sum(taps) + biases + norms == 2_867_009


@pytest.mark.parametrize("resolution", [32, 64, 128, 256, 512])
def test_depth_follows_from_the_resolution(resolution):
    generator = make_generator("dvp", resolution=resolution, width=2)
    assert 2 ** len(generator.down) == resolution
    assert len(generator.up) + 1 == len(generator.down)
    assert generator(window_for(generator.config)).shape == (2, 3, resolution, resolution)


@pytest.mark.parametrize("refinement", ["after", "before", "none"])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_gradients_reach_every_parameter(refinement, norm):
    generator = make_generator(refinement=refinement, norm=norm, dropout=0.0, **SMALL)
    judge = PatchDiscriminator(generator.config)
    window = window_for(generator.config)
    judge(window, generator(window))[-1].square().sum().backward()
    for network in (generator, judge):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_dropout_is_in_the_first_three_modules_that_upsample():
    generator = make_generator(resolution=64, width=4)
    dropped = [any(isinstance(m, torch.nn.Dropout) for m in up.modules()) for up in generator.up]
    assert dropped == [True, True, True, False, False]


def test_a_frame_depends_on_the_whole_window():
    generator = make_generator(**SMALL).eval()
    window = window_for(generator.config, 1)
    before = generator(window)
    for frame in (0, 5, 10):
        other = window.clone()
        other[:, 9 * frame : 9 * frame + 9] *= -1
        assert not torch.allclose(generator(other), before, atol=1e-7)


def test_instance_norm_trains_with_a_batch_of_one():
    generator = make_generator(norm="instance", **SMALL).train()
    assert generator(window_for(generator.config, 1)).shape == (1, 3, 32, 32)


def test_the_judge_sees_patches_of_seventy_pixels():
    config = GeneratorConfig(resolution=128, width=4)
    judge = PatchDiscriminator(config).eval()
    frame = torch.zeros(1, 3, 128, 128, requires_grad=True)
    logits = judge(window_for(config, 1), frame)[-1]
    assert logits.shape == (1, 1, 14, 14)
    logits[0, 0, 7, 7].backward()
    seen = frame.grad.abs().sum(dim=(0, 1)) > 0
    assert int(seen.any(dim=0).sum()) == int(seen.any(dim=1).sum()) == 70


def test_a_generator_plays_its_role():
    assert isinstance(make_generator(**SMALL), Generator)


@pytest.mark.refusal
def test_a_batch_of_one_cannot_be_trained_with_batch_norm():
    generator = make_generator(**SMALL).train()
    with pytest.raises(ParameterError, match="batch of 2 or more to train with batch norm, got 1"):
        generator(window_for(generator.config, 1))


@pytest.mark.refusal
def test_a_window_of_another_layout_is_refused():
    generator = make_generator(**SMALL)
    with pytest.raises(ShapeError, match="window must have shape"):
        generator(torch.zeros(2, 33, 32, 32))


@pytest.mark.refusal
def test_references_are_refused():
    generator = make_generator(**SMALL)
    with pytest.raises(ParameterError, match="knows one person only"):
        generator(window_for(generator.config), [torch.zeros(2, 3, 32, 32)])


@pytest.mark.refusal
def test_an_unknown_generator_is_refused_with_those_there_are():
    with pytest.raises(
        ParameterError, match="conr, dagan, depth, dvp, headgan, implicit, lia, got 'gan'"
    ):
        make_generator("gan")
