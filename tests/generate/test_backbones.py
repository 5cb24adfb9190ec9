import hashlib
import os
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import conv2d, max_pool2d, relu

from morphface.core.errors import MissingFileError, ModelError, ParameterError, ShapeError
from morphface.generate.networks import backbones
from morphface.generate.networks.backbones import BACKBONES, Backbone, load_backbone
from tests.generate.small_backbones import narrow_vgg, random_weights

# Layers and channels as torchvision's files have them: number of the layer, inputs, outputs.
PUBLISHED = {
    "alexnet": {0: (3, 64), 3: (64, 192), 6: (192, 384), 8: (384, 256), 10: (256, 256)},
    "vgg16": {0: (3, 64), 7: (128, 128), 14: (256, 256), 17: (256, 512), 28: (512, 512)},
    "vgg19": {2: (64, 64), 5: (64, 128), 16: (256, 256), 19: (256, 512), 28: (512, 512)},
}
WIDTHS = {
    "alexnet": (64, 192, 384, 256, 256),
    "vgg16": (64, 128, 256, 512, 512),
    "vgg19": (64, 128, 256, 512, 512),
}


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """Caches that hold nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path


@pytest.mark.parametrize("kind", PUBLISHED)
def test_layers_have_the_numbers_and_channels_of_the_published_weights(kind):
    with torch.device("meta"):
        network = Backbone(kind)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    for layer, (inputs, outputs) in PUBLISHED[kind].items():
        assert shapes[f"features.{layer}.weight"][:2] == (outputs, inputs)
    assert network.widths == WIDTHS[kind]
    assert all(isinstance(network.features[tap], torch.nn.ReLU) for tap in network.taps)


def test_alexnet_is_its_convolutions_one_after_another(tmp_path):
    held = random_weights(tmp_path / "mine.pth", "alexnet")
    network = load_backbone("alexnet", tmp_path / "mine.pth")
    picture = torch.rand(1, 3, 64, 48)
    here, expected = picture, []
    plan = {0: (4, 2, False), 3: (1, 2, True), 6: (1, 1, True), 8: (1, 1, False), 10: (1, 1, False)}
    for layer, (stride, padding, halved) in plan.items():
        here = max_pool2d(here, 3, 2) if halved else here
        weight, bias = held[f"features.{layer}.weight"], held[f"features.{layer}.bias"]
        here = relu(conv2d(here, weight, bias, stride, padding))
        expected.append(here)
    torch.testing.assert_close(network(picture), expected)


def test_gradients_reach_the_picture_and_not_the_weights(monkeypatch):
    narrow_vgg(monkeypatch)
    network = Backbone("vgg19")
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    sum(feature.sum() for feature in network(picture)).backward()
    assert float(picture.grad.abs().max()) > 0
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())


def test_features_of_vgg_halve_from_block_to_block(monkeypatch):
    narrow_vgg(monkeypatch)
    sides = [feature.shape[-1] for feature in Backbone("vgg19")(torch.rand(1, 3, 48, 64))]
    assert sides == [64, 32, 16, 8, 4]


@pytest.mark.parametrize("folder", ["cache/morphface", "hub/checkpoints"])
def test_weights_are_found_in_the_caches(nowhere, monkeypatch, folder):
    place = nowhere / folder / "tiny.pth"
    place.parent.mkdir(parents=True)
    narrow_vgg(monkeypatch)
    held = random_weights(place, "vgg19")
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    design = BACKBONES["vgg19"]
    file = replace(design.file, name="tiny.pth", sha256=digest[:8])
    monkeypatch.setitem(backbones.BACKBONES, "vgg19", replace(design, file=file))
    found = load_backbone("vgg19").state_dict()
    assert all(torch.equal(found[name], value) for name, value in held.items())


@pytest.mark.refusal
def test_missing_weights_are_told_with_a_command(nowhere):
    with pytest.raises(MissingFileError, match=r"vgg19-dcbb9e9d.pth are not .* python -c \"import"):
        load_backbone("vgg19")
    with pytest.raises(MissingFileError, match="there is no file of weights"):
        load_backbone("vgg19", nowhere / "no.pth")


@pytest.mark.refusal
def test_another_file_under_the_published_name_is_refused(tmp_path):
    place = tmp_path / "alexnet-owt-7be5be79.pth"
    random_weights(place, "alexnet")
    with pytest.raises(ModelError, match="is not the published alexnet-owt-7be5be79.pth"):
        load_backbone("alexnet", place)


@pytest.mark.refusal
def test_weights_of_another_network_are_refused(tmp_path):
    random_weights(tmp_path / "mine.pth", "alexnet")
    with pytest.raises(
        ModelError, match=r"holds no weights of vgg16: features.0.weight is missing"
    ):
        load_backbone("vgg16", tmp_path / "mine.pth")


@pytest.mark.refusal
@pytest.mark.parametrize("held", [b"nonsense", [1, 2], {"features.0.weight": os.system}])
def test_what_is_no_weights_is_refused(tmp_path, held):
    place = tmp_path / "mine.pth"
    if isinstance(held, bytes):
        place.write_bytes(held)
    else:
        torch.save(held, place)
    with pytest.raises(ModelError, match="holds no weights"):
        load_backbone("alexnet", place)


@pytest.mark.refusal
def test_pictures_must_be_large_enough_and_of_three_channels():
    network = Backbone("alexnet")
    with pytest.raises(ParameterError, match=r"at least 32 x 32 .* alexnet, got \(31, 64\)"):
        network(torch.rand(1, 3, 31, 64))
    with pytest.raises(ShapeError, match="pictures must have shape"):
        network(torch.rand(1, 1, 64, 64))


@pytest.mark.refusal
def test_an_unknown_backbone_is_refused():
    with pytest.raises(
        ParameterError, match="kind must be one of alexnet, vgg16, vgg19, efficient"
    ):
        Backbone("resnet")


def test_lite0_halves_five_times_and_pads_as_tensorflow_does():
    network = Backbone("efficientnet_lite0")
    features = network(torch.rand(1, 3, 50, 64))
    assert [tuple(f.shape[1:]) for f in features] == [
        (16, 25, 32),
        (24, 13, 16),
        (40, 7, 8),
        (112, 4, 4),
        (320, 2, 2),
    ]
    assert network.widths == (16, 24, 40, 112, 320)
    # a strided kernel of 3 starts at the first pixel of an even side, and one before an odd one's
    stem, weight = network.features[0], network.state_dict()["features.0.stem.0.weight"]
    picture = torch.rand(1, 3, 6, 7)
    norm = stem.stem[1]
    padded = torch.nn.functional.pad(picture, (1, 1, 0, 1))
    wanted = norm(conv2d(padded, weight, None, 2)).clamp(0, 6)
    torch.testing.assert_close(stem(picture), wanted)


def test_gradients_of_lite0_reach_the_picture():
    picture = torch.rand(1, 3, 32, 32, requires_grad=True)
    Backbone("efficientnet_lite0")(picture)[-1].square().sum().backward()
    assert float(picture.grad.abs().max()) > 0
