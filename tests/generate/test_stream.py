import pytest
import torch

from morphface.core.errors import ParameterError, ShapeError
from morphface.generate.config import GeneratorConfig
from morphface.generate.generator import generator_of
from morphface.generate.stream import stream_frames, stream_windows
from morphface.generate.windows import ConditioningWindows

COUNT = 7
OFFSETS = [(0,), (-3, -1, 0), (-1, 0, 2), (0, 1, 2, 3), (-10, 0)]


def config(**options):
    values = {"resolution": 32, "width": 4, "maps": ("diffuse",), "channels": (3,), **options}
    return GeneratorConfig(**values)


@pytest.fixture
def maps(rng):
    return torch.randint(0, 256, (COUNT, 32, 32, 3), generator=rng, dtype=torch.uint8)


def streamed(maps):
    return (values.permute(2, 0, 1) for values in maps)


@pytest.mark.parametrize("offsets", OFFSETS)
@pytest.mark.parametrize("padding", ["replicate", "zero"])
@pytest.mark.parametrize("signed", [True, False])
def test_windows_are_to_the_bit_those_of_training(maps, offsets, padding, signed):
    arrays = {"diffuse": maps, "frame": maps}
    options = {"offsets": offsets, "padding": padding, "signed": signed}
    whole = ConditioningWindows(arrays, maps=("diffuse",), **options)
    found = list(stream_windows(streamed(maps), config(**options)))
    assert len(found) == COUNT
    for k, window in enumerate(found):
        torch.testing.assert_close(window, whole[k]["window"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 3, COUNT, 50])
def test_a_stream_makes_what_the_whole_batch_makes(maps, batch):
    torch.manual_seed(0)
    generator = generator_of(config(offsets=(-2, 0, 1))).eval()
    windows = torch.stack(list(stream_windows(streamed(maps), generator.config)))
    with torch.no_grad():
        whole = generator(windows) / 2 + 0.5
    found = torch.stack(list(stream_frames(generator, streamed(maps), batch=batch)))
    torch.testing.assert_close(found, whole, rtol=1e-4, atol=1e-5)


def test_no_more_maps_are_asked_for_than_the_next_window_needs(maps):
    asked = []

    def watched():
        for k, values in enumerate(streamed(maps)):
            asked.append(k)
            yield values

    windows = stream_windows(watched(), config(offsets=(-2, 0, 1)))
    next(windows)
    assert asked == [0, 1]
    next(windows)
    assert asked == [0, 1, 2]


def test_nothing_in_gives_nothing_out():
    assert list(stream_windows(iter(()), config(offsets=(-1, 0, 1)))) == []


@pytest.mark.refusal
def test_maps_of_another_size_are_refused(maps):
    with pytest.raises(ShapeError, match=r"maps of a frame must be C x H x W, \(3, 32, 32\)"):
        list(stream_windows(iter([maps[0]]), config()))


@pytest.mark.refusal
def test_a_generator_in_training_and_an_empty_batch_are_refused(maps):
    generator = generator_of(config(offsets=(0,)))
    with pytest.raises(ParameterError, match="generator must be in eval mode"):
        list(stream_frames(generator, streamed(maps)))
    with pytest.raises(ParameterError, match="batch must be at least 1, got 0"):
        list(stream_frames(generator.eval(), streamed(maps), batch=0))
