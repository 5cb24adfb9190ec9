import h5py
import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers import read_model
from tests.models.readers import written
from tests.models.readers.written import Truth, assert_is, save_scalismo


@pytest.fixture
def truth():
    return Truth()


STORED = [{}, {"compression": "gzip", "chunks": (32, 2)}, {"compression": "lzf", "shuffle": True}]


@pytest.mark.parametrize("how", STORED)
def test_variances_become_deviations_and_the_neutral_face_has_no_expression(tmp_path, truth, how):
    path = save_scalismo(tmp_path / "model.h5", truth, **how)
    model = read_model(path, expected="bfm_hdf5")
    assert_is(model, truth, truth.between_eyes())
    assert model.landmarks == {}


def test_old_files_have_the_deviations_in_the_basis(tmp_path, truth):
    path = save_scalismo(tmp_path / "model.h5", truth, version=(0, 8))
    assert_is(read_model(path), truth, truth.between_eyes())


def test_a_file_without_version_is_an_old_one(tmp_path, truth):
    path = save_scalismo(tmp_path / "model.h5", truth, version=(0, 8))
    with h5py.File(path, "a") as file:
        for part in ("shape", "expression", "color"):
            del file[f"{part}/version"]
    assert_is(read_model(path), truth, truth.between_eyes())


def test_a_shape_model_alone_is_read(tmp_path, truth):
    path = save_scalismo(tmp_path / "model.h5", truth, parts=("shape",))
    assert_is(read_model(path), truth, truth.between_eyes(), expression=None, colour=False)


@pytest.mark.parametrize(
    "text",
    [None, b"no json", b"[1, 2]", b'[{"id": "left.eye.corner_outer", "coordinates": [1]}]', "[]"],
)
def test_without_the_corners_of_the_eyes_the_tip_of_the_nose_sets_the_origin(tmp_path, truth, text):
    path = save_scalismo(tmp_path / "model.h5", truth)
    with h5py.File(path, "a") as file:
        del file["metadata/landmarks/json"]
        if text is not None:
            file["metadata/landmarks/json"] = np.bytes_(text) if isinstance(text, bytes) else text
        file["metadata/more"] = 1
    assert_is(read_model(path), truth, truth.behind_the_tip())


def test_landmarks_stored_as_bytes_are_read_too(tmp_path, truth):
    path = save_scalismo(tmp_path / "model.h5", truth)
    with h5py.File(path, "a") as file:
        text = file["metadata/landmarks/json"][()]
        del file["metadata/landmarks/json"]
        file["metadata/landmarks/json"] = np.frombuffer(text + b"\0", np.int8)
    assert_is(read_model(path), truth, truth.between_eyes())


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("shape/model/mean", None, "it has no dataset shape/model/mean"),
        ("shape/model/pcaVariance", [-1.0] * 5, "shape/model/pcaVariance has negative entries"),
        ("shape/model/pcaVariance", [1.0], None),
        ("shape/representer/cells", np.full((3, 9), 80), "faces index 80 vertices from 0 on, and"),
        ("color/model/pcaBasis", np.ones((9, 2)), r"its basis has shape \(9, 2\), and 80"),
        ("shape/model/mean", np.array(b"text"), "its shape/model/mean holds |S4, not numbers"),
    ],
)
def test_datasets_that_do_not_fit_are_named(tmp_path, truth, name, value, message):
    path = save_scalismo(tmp_path / "model.h5", truth)
    with h5py.File(path, "a") as file:
        del file[name]
        if value is not None:
            file[name] = value
    if message is None:
        assert read_model(path).identity.rank == 5
        return
    with pytest.raises(ModelError, match=f"model.h5 is not loaded: .*{message}"):
        read_model(path)


def test_written_is_named_for_what_it_is_not(tmp_path, truth):
    assert read_model(save_scalismo(tmp_path / "any.h5", truth)).name == "bfm"
    assert written.ROWS * written.COLUMNS == 80
