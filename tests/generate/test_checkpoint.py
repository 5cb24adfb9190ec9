import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.generate.checkpoint import load_generator, read_config, save_generator
from morphface.generate.config import GeneratorConfig, difference
from morphface.generate.generator import make_generator

ADDED = (
    *("style", "style_sizes", "flow_prior", "blend", "fusion"),
    *("stacks", "fine", "attention", "keypoints", "depth"),
)


@pytest.fixture
def saved(tmp_path):
    generator = make_generator(resolution=32, width=4)
    generator(torch.randn(2, 99, 32, 32))  # so that running means are not at rest
    path = tmp_path / "generator.safetensors"
    save_generator(path, generator)
    return generator, path


def test_a_checkpoint_comes_back_exactly(saved):
    generator, path = saved
    again = load_generator(path)
    assert again.config == generator.config
    weights = generator.state_dict()
    assert again.state_dict().keys() == weights.keys()
    for name, value in again.state_dict().items():
        assert torch.equal(value, weights[name]), name
    window = torch.randn(1, 99, 32, 32)
    assert torch.equal(again(window), generator.eval()(window))


def test_a_configuration_comes_back_from_text():
    config = GeneratorConfig(maps=("normal",), channels=(3,), offsets=(-1, 0, 1), signed=False)
    assert GeneratorConfig.from_json(config.to_json()) == config
    assert config.window_channels == 9


def test_equal_configurations_have_no_difference():
    assert difference(GeneratorConfig(), GeneratorConfig()) == ""


@pytest.mark.refusal
def test_a_checkpoint_for_something_else_is_refused_with_the_difference(saved):
    _, path = saved
    wanted = read_config(path).replace(offsets=(0,), signed=False)
    with pytest.raises(ModelError, match="offsets is -10 .* 0, wanted 0; signed is True, wanted F"):
        load_generator(path, wanted=wanted)


@pytest.mark.refusal
def test_other_files_are_refused(tmp_path, saved):
    with pytest.raises(MissingFileError, match="there is no checkpoint at"):
        load_generator(tmp_path / "nowhere.safetensors")
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(ModelError, match="other.safetensors is not a checkpoint of a generator"):
        load_generator(other)
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ModelError, match="text.safetensors is not a checkpoint"):
        load_generator(tmp_path / "text.safetensors")


@pytest.mark.refusal
def test_weights_that_do_not_fit_are_refused(saved):
    generator, path = saved
    weights = load_file(path)
    weights.pop("last.0.bias")
    save_file(weights, path, metadata={"morphface": generator.config.to_json()})
    with pytest.raises(ModelError, match="is damaged: its weights do not fit"):
        load_generator(path)


def test_a_checkpoint_of_the_version_before_has_the_defaults_of_what_it_lacks(saved):
    generator, path = saved
    values = json.loads(generator.config.to_json())
    older = {k: v for k, v in values.items() if k not in ADDED} | {"version": 1}
    save_file(load_file(path), path, metadata={"morphface": json.dumps(older)})
    assert read_config(path) == generator.config
    assert load_generator(path).config == generator.config


@pytest.mark.refusal
def test_an_old_configuration_with_a_new_field_is_damaged():
    text = GeneratorConfig().to_json().replace('"version": 6', '"version": 1')
    with pytest.raises(ParameterError, match="damaged at: attention, blend, depth, fine, flow_pr"):
        GeneratorConfig.from_json(text)


@pytest.mark.refusal
def test_a_newer_configuration_is_refused(saved):
    generator, path = saved
    newer = generator.config.to_json().replace('"version": 6', '"version": 7')
    save_file(load_file(path), path, metadata={"morphface": newer})
    with pytest.raises(ModelError, match="version 7, this morphface reads .* up to version 6"):
        load_generator(path)


@pytest.mark.refusal
@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"format": "x"}'])
def test_text_that_is_no_configuration_is_refused(text):
    with pytest.raises(ParameterError, match="not the configuration of a generator"):
        GeneratorConfig.from_json(text)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 100}, "resolution must be one of 32 64 128"),
        ({"refinement": "both"}, "refinement must be one of after before none"),
        ({"norm": "layer"}, "norm must be one of batch instance"),
        ({"padding": "wrap"}, "padding must be one of replicate zero"),
        ({"attention": "mesh"}, "attention must be one of depth picture none"),
        ({"keypoints": "found"}, "keypoints must be one of mesh learned"),
        ({"depth": "learned"}, "depth is chosen for dagan alone, got 'learned' for dvp"),
        ({"attention": "none"}, "attention is chosen for dagan alone, got 'none' for dvp"),
        ({"maps": ("gaze", "gaze"), "channels": (3, 3)}, "maps must be names, each once"),
        ({"channels": (3, 3)}, "one positive number for each of 3 maps"),
        ({"offsets": (-2, -1)}, "offsets must rise and have 0"),
        ({"style": ("gaze",)}, "style must be names, each once, and style_sizes a positive"),
        ({"style": ("gaze",), "style_sizes": (0,)}, "style_sizes a positive number for each"),
        ({"dropout": 1.0}, "dropout in \\[0, 1\\)"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        GeneratorConfig(**options)


@pytest.mark.refusal
def test_only_generators_are_saved_and_only_as_safetensors(tmp_path, saved):
    with pytest.raises(ParameterError, match=r"saved as .safetensors, got 'a.pt'"):
        save_generator(tmp_path / "a.pt", saved[0])
    with pytest.raises(ParameterError, match="Linear has no configuration"):
        save_generator(tmp_path / "a.safetensors", torch.nn.Linear(1, 1))
