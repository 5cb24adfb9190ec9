import json
from dataclasses import fields, is_dataclass, replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from morphface.core.errors import ModelError, ParameterError
from morphface.models import MODELS, Eye, MorphableModel, load_model, save_model
from morphface.models.storage import read_header, read_model_file


def same(a, b):
    """Whether two values are equal to the last bit, whatever they are made of."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if is_dataclass(a):
        return type(a) is type(b) and all(
            same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a)
        )
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def write(path, header, tensors=None):
    metadata = None if header is None else {"morphface": json.dumps(header)}
    save_file(tensors or {"faces": torch.zeros(1, 3)}, path, metadata=metadata)
    return path


@pytest.fixture
def full(toy):
    """A toy model with every optional field, of values that no shorter type holds."""
    third = torch.linspace(0, 1, toy.size) / 3
    ball = torch.arange(12)
    eyes = (Eye(ball, torch.rand(3), 12.1, 5.85), Eye(ball + 12, torch.rand(3), 12.2, 5.9))
    return replace(
        toy,
        uv=torch.rand(toy.size, 2),
        uv_faces=toy.faces,
        mirror=torch.arange(toy.size).flip(0),
        regions={"third": third, "all": torch.ones(toy.size)},
        eyes=eyes,
    )


def test_what_is_written_is_read_to_the_last_bit(full, tmp_path):
    save_model(full, tmp_path / "full.safetensors")
    assert same(read_model_file(tmp_path / "full.safetensors"), full)


def test_a_model_with_shape_alone_stays_so(toy, tmp_path):
    bare = MorphableModel("bare", toy.identity, toy.expression, toy.faces)
    save_model(bare, tmp_path / "bare.safetensors")
    assert same(read_model_file(tmp_path / "bare.safetensors"), bare)


def test_the_open_head_is_written_as_the_same_bytes(tmp_path):
    header = read_header(MODELS["open-head"])
    notes = {name: header[name] for name in ("source", "revision")}
    save_model(load_model(), tmp_path / "again.safetensors", notes=notes)
    assert (tmp_path / "again.safetensors").read_bytes() == MODELS["open-head"].read_bytes()


def test_half_precision_is_half_the_size_and_micrometres_off(toy, tmp_path):
    save_model(toy, tmp_path / "single.safetensors")
    save_model(toy, tmp_path / "half.safetensors", half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "single")]
    assert sizes[0] < 0.65 * sizes[1]
    short = read_model_file(tmp_path / "half.safetensors")
    difference = (short.identity.directions - toy.identity.directions).abs()
    assert 0 < difference.max() < 0.01
    assert torch.equal(short.identity.mean, toy.identity.mean)


def test_the_header_says_what_it_was_made_from(toy, tmp_path):
    path = tmp_path / "a.safetensors"
    save_model(toy, path, notes={"licence": "for nothing"})
    assert read_header(path)["licence"] == "for nothing"
    assert read_header(path)["name"] == "toy"


def test_a_file_of_other_masks_than_bytes_has_a_newer_version(full, toy, tmp_path):
    save_model(full, tmp_path / "full.safetensors")
    save_model(toy, tmp_path / "toy.safetensors")
    versions = [read_header(tmp_path / f"{n}.safetensors")["version"] for n in ("toy", "full")]
    assert versions == [1, 2]


def test_tensors_that_share_memory_are_written(toy, tmp_path):
    mean = toy.identity.mean
    shared = replace(toy, uv=mean[:, :2], reflectance=replace(toy.reflectance, mean=mean))
    save_model(shared, tmp_path / "shared.safetensors")
    assert same(read_model_file(tmp_path / "shared.safetensors"), shared)


def too_large(model):
    directions = 1e9 * model.identity.directions
    return replace(model, identity=replace(model.identity, directions=directions))


def test_a_failed_write_keeps_the_old_file(toy, tmp_path):
    path = tmp_path / "a.safetensors"
    save_model(toy, path)
    with pytest.raises(ParameterError):
        save_model(too_large(toy), path, half=True)
    assert same(read_model_file(path), toy)
    assert [item.name for item in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.refusal
def test_what_half_precision_cannot_hold_is_refused(toy, tmp_path):
    with pytest.raises(ParameterError, match=r"identity\.directions has values that half prec"):
        save_model(too_large(toy), tmp_path / "a.safetensors", half=True)


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["faces", "landmarks.toy.triangles"])
@pytest.mark.parametrize("index", [-1, 10**6])
def test_an_index_beyond_the_vertices_is_refused(toy, tmp_path, name, index):
    path = tmp_path / "a.safetensors"
    save_model(toy, path)
    header, tensors = read_header(path), load_file(path)
    tensors[name][0, 0] = index
    save_file(tensors, path, metadata={"morphface": json.dumps(header)})
    with pytest.raises(ModelError, match="of model 'toy' points beyond its vertices"):
        read_model_file(path)


@pytest.mark.refusal
def test_a_header_of_another_shape_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"morphface": "[1]"})
    with pytest.raises(ModelError, match="is a safetensors file, but not a morphface-model file"):
        read_model_file(path)


@pytest.mark.refusal
def test_a_header_of_50_gigabytes_is_refused_unread(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes((50 * 10**9).to_bytes(8, "little") + b'{"a":')
    with pytest.raises(ModelError, match="is not a morphface-model file"):
        read_model_file(path)


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
    with pytest.raises(ModelError, match="format version 9, this morphface reads up to 2"):
        read_model_file(path)


@pytest.mark.refusal
def test_a_missing_tensor_is_named(tmp_path):
    header = {"format": "morphface-model", "version": 1, "name": "x", "expression_names": []}
    path = write(tmp_path / "half.safetensors", header)
    with pytest.raises(ModelError, match="lacks 'identity.mean'"):
        read_model_file(path)
