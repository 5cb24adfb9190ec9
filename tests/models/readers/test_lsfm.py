import pickle

import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers import basel, lsfm, read_model
from morphface.models.readers.content import look
from tests.models.readers import written
from tests.models.readers.written import Truth, assert_is


@pytest.fixture
def truth():
    return Truth()


@pytest.mark.parametrize("layout", [written.lsfm, written.lsfm_in_basel_names])
@pytest.mark.parametrize("save", [written.save_mat, written.save_mat73])
def test_the_release_has_decimetres_and_variances(tmp_path, truth, layout, save):
    model = read_model(save(tmp_path / "all_all_all.mat", layout(truth)), expected="lsfm")
    assert_is(model, truth, truth.behind_the_tip(), expression=None, colour=False)


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e-2, 1e-1, 1.0])
def test_the_unit_is_told_by_the_width_of_the_face(tmp_path, truth, unit):
    scale = 1e-3 / unit * 100 if unit > 1e-6 else 1e3 * 100
    arrays = written.lsfm(truth)
    arrays["mean"] = arrays["mean"] * scale
    arrays["eigenvalues"] = arrays["eigenvalues"] * scale**2
    model = read_model(written.save_mat(tmp_path / "m.mat", arrays))
    assert_is(model, truth, truth.behind_the_tip(), expression=None, colour=False)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_of_the_same_arrays_is_read(tmp_path, truth, protocol):
    path = tmp_path / "lsfm.pkl"
    path.write_bytes(pickle.dumps(written.lsfm(truth), protocol=protocol))
    model = read_model(path, expected="lsfm")
    assert_is(model, truth, truth.behind_the_tip(), expression=None, colour=False)


def test_menpo_s_own_pickle_is_read_without_menpo(tmp_path, truth):
    path = tmp_path / "model.pkl"
    path.write_bytes(written.menpo_model(truth, joint=False))
    model = read_model(path, expected="lsfm")
    assert_is(model, truth, truth.behind_the_tip(), expression=None, colour=False)


def test_menpo_s_expressive_pickle_says_which_rows_are_expressions(tmp_path, truth):
    path = tmp_path / "id_exp_shape_model.pkl"
    path.write_bytes(written.menpo_model(truth, joint=True))
    assert_is(read_model(path, expected="lsfm"), truth, truth.behind_the_tip(), colour=False)


@pytest.mark.parametrize("save", [written.save_mat, written.save_mat73])
def test_headgan_s_structure_is_read(tmp_path, truth, save):
    path = save(tmp_path / "all_all_all.mat", written.fmod(truth))
    assert_is(read_model(path, expected="lsfm"), truth, truth.behind_the_tip(), colour=False)


def test_headgan_s_flatbuffer_of_expressions_is_added(tmp_path, truth):
    basis, spread = truth.basis("expression")
    rows = basis.T
    moves = written.save_flatbuffer(
        tmp_path / "lsfm_exp_30.dat", truth.mean / 100, truth.faces, rows, spread / 100
    )
    path = written.save_mat(tmp_path / "all_all_all.mat", written.lsfm(truth))
    model = read_model(path, expression=moves)
    assert_is(model, truth, truth.behind_the_tip(), colour=False)


def test_3ddfa_s_expressions_in_micrometres_are_added(tmp_path, truth):
    basis, spread = truth.basis("expression")
    arrays = {"w_exp": basis, "sigma_exp": spread[:, None] * 1e3, "mu_exp": np.ones((240, 1))}
    moves = written.save_mat(tmp_path / "Model_Exp.mat", arrays)
    path = written.save_mat(tmp_path / "all_all_all.mat", written.lsfm(truth))
    model = read_model(path, expression=moves)
    assert_is(model, truth, truth.behind_the_tip(), colour=False)


def test_the_cropped_model_finds_its_landmarks_through_its_map(tmp_path, truth):
    place = np.full(basel.TRIMMED, -1)
    place[list(basel.LANDMARKS)] = truth.landmarks
    arrays = written.lsfm(truth) | {"map_full_to_cropped": place[None]}
    model = read_model(written.save_mat(tmp_path / "cropped.mat", arrays))
    assert_is(model, truth, truth.between_eyes(), expression=None, colour=False)
    points = model.landmark_embedding("68").points(model.identity.mean)
    want = truth.mean[truth.landmarks] - truth.between_eyes()
    np.testing.assert_allclose(points.numpy(), want, atol=1e-3)
    place[basel.LANDMARKS[3]] = -1
    arrays["map_full_to_cropped"] = place[None]
    assert read_model(written.save_mat(tmp_path / "less.mat", arrays)).landmarks == {}


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("eigenvalues", [-1.0, 1, 1, 1, 1], "its eigenvalues are not variances: some are negative"),
        ("mean", np.zeros(240), "its mean is 0 wide, which is no face in any known unit"),
        ("trilist", np.full((2, 3), 100), "faces index 80 vertices from 0 on"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, truth, name, value, message):
    path = written.save_mat(tmp_path / "m.mat", written.lsfm(truth) | {name: value})
    with pytest.raises(ModelError, match=f"m.mat is not loaded: .*{message}"):
        lsfm.read(look(path))


@pytest.mark.refusal
def test_rows_that_are_not_there_are_refused(tmp_path, truth):
    loaded = {"_components": np.ones((2, 240)), "_eigenvalues": np.ones(2)}
    loaded |= {"_mean": truth.mean.ravel(), "trilist": truth.faces}
    loaded |= {"id_ind": np.arange(2), "exp_ind": np.array([2])}
    path = tmp_path / "m.pkl"
    path.write_bytes(pickle.dumps(loaded))
    with pytest.raises(ModelError, match="id_ind and exp_ind are not rows of its components"):
        read_model(path)


@pytest.mark.refusal
def test_expressions_of_another_mesh_are_refused(tmp_path, truth):
    path = written.save_mat(tmp_path / "m.mat", written.lsfm(truth))
    moves = written.save_mat(tmp_path / "e.mat", {"w_exp": np.ones((30, 2))})
    with pytest.raises(ModelError, match="e.mat has expressions of 10 vertices, and the model has"):
        read_model(path, expression=moves)
