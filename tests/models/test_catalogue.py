import json

import pytest
import torch
from safetensors.torch import save_file

from morphface.core.errors import MissingFileError, ModelError
from morphface.models import MODELS, load_model
from morphface.models.storage import read_model_file


def write(path, header, tensors=None):
    metadata = None if header is None else {"morphface": json.dumps(header)}
    save_file(tensors or {"faces": torch.zeros(1, 3)}, path, metadata=metadata)
    return path


def test_the_default_is_the_open_head_and_is_loaded_once():
    assert load_model() is load_model("open-head")


def test_a_path_loads_the_same_model():
    loaded = load_model(MODELS["open-head"])
    torch.testing.assert_close(loaded.identity.mean, load_model().identity.mean)


@pytest.mark.refusal
def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelError, match="no model is called 'flame': known are open-head"):
        load_model("flame")


@pytest.mark.refusal
def test_an_unknown_detail_lists_the_known_ones():
    with pytest.raises(ModelError, match="detail must be one of standard, high, got 'ultra'"):
        load_model(detail="ultra")


@pytest.mark.refusal
def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"there is no model file at .*mine\.safetensors"):
        load_model(tmp_path / "mine.safetensors")


@pytest.mark.refusal
def test_another_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"not a model at all" * 10)
    with pytest.raises(ModelError, match="is not a morphface-model file"):
        read_model_file(path)


@pytest.mark.refusal
def test_a_safetensors_file_of_something_else_is_refused(tmp_path):
    path = write(tmp_path / "weights.safetensors", None)
    with pytest.raises(ModelError, match="is a safetensors file, but not a morphface-model file"):
        read_model_file(path)


@pytest.mark.refusal
def test_a_newer_version_asks_for_an_upgrade(tmp_path):
    path = write(tmp_path / "new.safetensors", {"format": "morphface-model", "version": 9})
    with pytest.raises(ModelError, match="format version 9, this morphface reads up to 1"):
        read_model_file(path)


@pytest.mark.refusal
def test_a_missing_tensor_is_named(tmp_path):
    header = {"format": "morphface-model", "version": 1, "name": "x", "expression_names": []}
    path = write(tmp_path / "half.safetensors", header)
    with pytest.raises(ModelError, match="lacks 'identity.mean'"):
        read_model_file(path)
