import pickle

import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers import read_model, tddfa
from tests.models.readers import written
from tests.models.readers.written import Truth, assert_is


@pytest.fixture
def truth():
    return Truth()


def save_pickle(path, arrays, protocol=4):
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    return path


def save_npz(path, arrays):
    np.savez_compressed(path, **arrays)
    return path


@pytest.mark.parametrize("save", [save_pickle, save_npz])
def test_micrometres_from_1_and_its_own_landmarks(tmp_path, truth, save):
    kind = "pkl" if save is save_pickle else "npz"
    path = save(tmp_path / f"bfm.{kind}", written.tddfa(truth))
    model = read_model(path, expected="tddfa")
    assert_is(model, truth, truth.between_eyes(), colour=False)
    points = model.landmark_embedding("68").points(model.identity.mean)
    want = truth.mean[truth.landmarks] - truth.between_eyes()
    np.testing.assert_allclose(points.numpy(), want, atol=1e-3)


def test_a_pickle_of_python_2_is_read(tmp_path, truth):
    path = tmp_path / "bfm.pkl"
    path.write_bytes(written.python2_pickle(written.tddfa(truth)))
    assert_is(read_model(path, expected="tddfa"), truth, truth.between_eyes(), colour=False)


def test_the_mean_may_be_in_two_parts(tmp_path, truth):
    arrays = written.tddfa(truth)
    whole = arrays.pop("u")
    arrays |= {"u_shp": whole - 5000, "u_exp": np.full_like(whole, 5000)}
    path = save_npz(tmp_path / "bfm.npz", arrays)
    assert_is(read_model(path, expected="tddfa"), truth, truth.between_eyes(), colour=False)


def test_the_rebuilt_triangles_beside_the_pickle_are_taken(tmp_path, truth):
    arrays = written.tddfa(truth) | {"tri": np.ones((3, 2), np.int32)}
    path = save_pickle(tmp_path / "bfm_noneck_v3.pkl", arrays)
    save_pickle(tmp_path / "tri.pkl", written.clockwise(truth.faces).T.astype(np.int32))
    assert_is(read_model(path), truth, truth.between_eyes(), colour=False)


def test_a_file_of_triangles_may_be_named(tmp_path, truth):
    arrays = written.tddfa(truth)
    faces = save_pickle(tmp_path / "faces.pkl", arrays.pop("tri"))
    model = read_model(save_npz(tmp_path / "bfm.npz", arrays), faces=faces)
    assert_is(model, truth, truth.between_eyes(), colour=False)


def test_without_deviations_the_published_spread_counts(tmp_path):
    truth = Truth(identities=50, expressions=12)
    path = save_pickle(tmp_path / "bfm.pkl", written.tddfa(truth, sigma=False))
    model = read_model(path)
    assert (model.identity.rank, model.expression.rank) == (40, 10)
    norms = model.identity.directions.flatten(1).norm(dim=1)
    np.testing.assert_allclose(norms, np.array(tddfa._SHAPE_SPREAD) / 1e3, rtol=1e-3)
    norms = model.expression.directions.flatten(1).norm(dim=1)
    np.testing.assert_allclose(norms, tddfa._EXPRESSION_SPREAD, rtol=1e-3)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("tri", None, "there is no model file at .*tri.pkl"),
        ("w_exp", np.ones((9, 2)), r"its basis has shape \(9, 2\), and 80 vertices"),
        ("w_shp", np.array(["a"]), "its w_shp does not hold numbers"),
        ("keypoints", np.arange(5), "it has 5 landmarks, and 68 were expected"),
        ("keypoints", np.full(204, 999), "its landmarks index 80 vertices from 0 on"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, truth, name, value, message):
    arrays = written.tddfa(truth)
    del arrays[name]
    if value is not None:
        arrays[name] = value
    path = save_npz(tmp_path / "bfm.npz", arrays)
    with pytest.raises((ModelError, FileNotFoundError), match=message):
        read_model(path)


@pytest.mark.refusal
def test_a_mean_in_two_unequal_parts_is_refused(tmp_path, truth):
    arrays = written.tddfa(truth)
    arrays |= {"u_shp": arrays.pop("u"), "u_exp": np.ones((3, 1))}
    with pytest.raises(ModelError, match="its u_shp has 240 numbers, and its u_exp 3"):
        read_model(save_npz(tmp_path / "bfm.npz", arrays))


@pytest.mark.refusal
def test_a_file_of_something_else_is_no_triangles(tmp_path, truth):
    path = save_npz(tmp_path / "bfm.npz", written.tddfa(truth))
    faces = save_pickle(tmp_path / "faces.pkl", [1, 2])
    with pytest.raises(ModelError, match="faces.pkl does not hold triangles"):
        read_model(path, faces=faces)
