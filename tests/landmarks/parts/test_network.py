import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.landmarks.parts import PartsConfig, PartsNetwork, load_parts, save_parts

SMALL = PartsConfig(features=8, width=4, blocks=1, stages=1)


def test_a_cell_is_eight_pixels_and_says_all_parts_and_limbs():
    reply = PartsNetwork(PartsConfig()).eval()(torch.rand(1, 3, 64, 96))
    assert [f.shape for f in reply.fields] == [(1, 74, 8, 12)] * 2
    assert reply.maps[-1].shape == (1, 19, 8, 12)


def test_a_shift_by_a_cell_shifts_what_is_said():
    torch.manual_seed(0)
    network = PartsNetwork(SMALL).eval()
    pictures = torch.rand(1, 3, 256, 256)
    said = network(pictures).maps[-1][..., 14:18, 14:18]
    moved = network(pictures.roll((8, 16), (2, 3))).maps[-1][..., 15:19, 16:20]
    torch.testing.assert_close(moved, said, atol=1e-5, rtol=1e-4)


def test_gradients_reach_every_weight():
    network = PartsNetwork(SMALL)
    reply = network(torch.rand(2, 3, 64, 64))
    sum(each.square().mean() for each in (*reply.fields, *reply.maps)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("half", [False, True])
def test_what_is_saved_says_the_same(tmp_path, half):
    network = PartsNetwork(SMALL).eval()
    network.template.uniform_(-100, 100)
    save_parts(tmp_path / "parts.safetensors", network, half=half)
    again = load_parts(tmp_path)
    picture = torch.rand(1, 3, 64, 64)
    close = {"atol": 0.02, "rtol": 0.02} if half else {"atol": 0.0, "rtol": 0.0}
    torch.testing.assert_close(again(picture).maps[-1], network(picture).maps[-1], **close)
    torch.testing.assert_close(again.template, network.template, atol=0.1, rtol=0)
    assert again.config == SMALL


@pytest.mark.refusal
def test_what_is_no_network_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="train one with: morphface train parts"):
        load_parts(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="is no network of parts"):
        load_parts(tmp_path / "bad.safetensors")


@pytest.mark.refusal
def test_networks_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="graph must be one of face, 70, got 'body'"):
        PartsConfig(graph="body")
    with pytest.raises(ParameterError, match="width must be a whole number from 1, got 0"):
        PartsConfig(width=0)
    with pytest.raises(ParameterError, match="must have fields of blocks, features"):
        PartsConfig.from_json('{"depth": 3}')
    with pytest.raises(ParameterError, match="is no JSON"):
        PartsConfig.from_json("{")
    assert PartsConfig.from_json(SMALL.to_json()) == SMALL
