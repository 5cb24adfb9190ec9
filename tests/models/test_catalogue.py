import os
from dataclasses import replace

import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError
from morphface.models import MODELS, LandmarkEmbedding, load_model, save_model
from morphface.models.catalogue import how_to_get, model_path
from morphface.models.folder import companions_of, models_folder, own_models
from morphface.models.known import KNOWN, find_known
from morphface.models.landmark_file import landmark_file, save_landmarks
from morphface.models.readers import READERS


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder for models."""
    monkeypatch.setenv("MORPHFACE_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def embedding(model, scheme="478"):
    return {scheme: replace(model.landmarks["toy"], confidence=torch.rand(80))}


def test_the_default_is_the_open_head_and_is_loaded_once():
    assert load_model() is load_model("open-head")


def test_a_path_loads_the_same_model():
    loaded = load_model(MODELS["open-head"])
    torch.testing.assert_close(loaded.identity.mean, load_model().identity.mean)


def test_a_model_in_the_folder_is_found_by_its_name(toy, folder):
    save_model(toy, folder / "mine.safetensors")
    assert load_model("mine").size == toy.size
    assert list(own_models()) == ["mine"]


def test_a_file_that_was_written_anew_is_loaded_anew(toy, folder):
    path = folder / "mine.safetensors"
    save_model(toy, path)
    assert load_model("mine") is load_model("mine")
    first = load_model("mine")
    save_model(replace(toy, name="other"), path)
    os.utime(path, ns=(1, 1))
    assert (first.name, load_model("mine").name) == ("toy", "other")


def test_a_published_model_is_found_by_the_name_of_its_file(toy, folder):
    (folder / "flame2020").mkdir()
    (folder / "flame2020" / "generic_model.pkl").touch()
    (folder / "flame2023.pkl").touch()
    assert model_path("flame") == folder / "flame2023.pkl"
    assert model_path("flame2017") == folder / "flame2020" / "generic_model.pkl"


def test_files_that_belong_to_a_published_model_are_found_beside_it(tmp_path):
    for name in ("01_MorphableModel.mat", "Exp_Pca.bin", "generic_model.pkl", "FLAME_texture.npz"):
        (tmp_path / name).touch()
    basel, flame = tmp_path / "01_MorphableModel.mat", tmp_path / "generic_model.pkl"
    assert companions_of(basel, "bfm2009") == {"expression": tmp_path / "Exp_Pca.bin"}
    assert companions_of(flame, "flame") == {"texture": tmp_path / "FLAME_texture.npz"}
    assert companions_of(flame, "bfm2009") == {}


def test_the_folder_is_in_the_cache_unless_the_environment_names_another(folder, monkeypatch):
    assert models_folder() == folder
    monkeypatch.delenv("MORPHFACE_MODELS")
    assert models_folder().parts[-2:] == ("morphface", "models")


def test_every_published_model_says_where_it_is_and_under_which_licence():
    names = [name for item in KNOWN for name in (item.name, *item.aliases)]
    assert len(names) == len(set(names))
    for item in KNOWN:
        assert item.url.startswith("https://")
        assert item.licence
        assert item.reader in READERS
        assert item.url in how_to_get(item)
        assert find_known(item.name.upper()) is item


def test_saved_landmarks_come_with_the_model(toy, folder):
    path = folder / "mine.safetensors"
    save_model(toy, path)
    added = embedding(toy)
    assert save_landmarks(load_model("mine"), path, added) == landmark_file(path)
    loaded = load_model("mine").landmarks
    assert set(loaded) == {"toy", "478"}
    assert torch.equal(loaded["478"].confidence, added["478"].confidence)


def test_landmarks_of_another_mesh_are_not_used(toy, folder):
    path = folder / "mine.safetensors"
    save_model(toy, path)
    save_landmarks(toy, path, embedding(toy))
    moved = replace(toy, identity=replace(toy.identity, mean=toy.identity.mean + 1))
    save_model(moved, path)
    assert set(load_model("mine").landmarks) == {"toy"}


def test_a_damaged_file_of_landmarks_is_not_used(toy, folder):
    path = folder / "mine.safetensors"
    save_model(toy, path)
    landmark_file(path).write_bytes(b"damaged")
    assert set(load_model("mine").landmarks) == {"toy"}


def test_the_models_own_landmarks_stay(toy, folder):
    path = folder / "mine.safetensors"
    save_model(toy, path)
    save_landmarks(toy, path, embedding(toy, "toy"))
    assert isinstance(load_model("mine").landmarks["toy"], LandmarkEmbedding)
    own = toy.landmarks["toy"].confidence
    assert torch.equal(load_model("mine").landmarks["toy"].confidence, own)


def test_where_nothing_can_be_written_landmarks_go_to_the_folder_for_models(toy, tmp_path, folder):
    path = tmp_path / "shared" / "mine.safetensors"
    save_model(toy, path)
    landmark_file(path).mkdir()  # a folder in the way, which even root cannot replace by a file
    place = save_landmarks(toy, path, embedding(toy))
    assert place.parent == folder / "landmarks"
    assert set(load_model(path).landmarks) == {"toy", "478"}


@pytest.mark.refusal
def test_an_unknown_name_lists_the_known_ones(toy, folder):
    save_model(toy, folder / "mine.safetensors")
    with pytest.raises(ModelError, match="'nobody': known are open-head, mine, bfm2009, .*flame"):
        load_model("nobody")


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["flame", "bfm2017", "lsfm", "bfm"])
def test_a_model_that_must_be_obtained_says_where_and_where_to_put_it(folder, name):
    known = find_known(name)
    wanted = f"obtain it from .* \\(licence: .*then put {known.files[0]} .*into .*models"
    with pytest.raises(MissingFileError, match=f"model '{name}' is not here: {wanted}"):
        load_model(name)


@pytest.mark.refusal
def test_another_model_under_a_published_name_is_refused(toy, folder):
    save_model(toy, folder / "01_MorphableModel.mat")
    with pytest.raises(ModelError, match="looks like a morphface model .* but a Basel Face Model"):
        load_model("bfm2009")


@pytest.mark.refusal
def test_an_unknown_detail_lists_the_known_ones():
    with pytest.raises(ModelError, match="detail must be one of standard, high, got 'ultra'"):
        load_model(detail="ultra")


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["mine.safetensors", "folder/mine"])
def test_a_missing_file_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFileError, match=rf"there is no model file at .*{name}"):
        load_model(name)


@pytest.mark.refusal
def test_an_option_that_the_model_lacks_is_refused(tmp_path):
    with pytest.raises(ModelError, match="has no option expression"):
        load_model(expression=tmp_path / "Exp_Pca.bin")
