import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers import basel, bfm2009, look, read_model
from tests.models.readers import written
from tests.models.readers.written import Truth, assert_is


@pytest.fixture
def truth():
    return Truth()


@pytest.mark.parametrize("compressed", [False, True])
def test_micrometres_clockwise_faces_and_deviations_are_converted(tmp_path, truth, compressed):
    path = tmp_path / "model.mat"
    written.save_mat(path, written.bfm2009(truth), do_compression=compressed)
    model = read_model(path, expected="bfm2009")
    assert_is(model, truth, truth.behind_the_tip(), expression=None)
    assert model.name == "bfm2009"
    assert model.expression.rank == 0


def test_matlab_7_3_reads_the_same(tmp_path, truth):
    path = written.save_mat73(tmp_path / "model.mat", written.bfm2009(truth))
    model = read_model(path, expected="bfm2009")
    assert_is(model, truth, truth.behind_the_tip(), expression=None)


@pytest.mark.parametrize("save", [written.save_mat, written.save_mat73])
def test_the_structure_of_face3d_has_expressions_and_landmarks(tmp_path, truth, save):
    model = read_model(save(tmp_path / "BFM.mat", written.face3d(truth)), expected="bfm2009")
    assert_is(model, truth, truth.between_eyes())
    points = model.landmark_embedding("68").points(model.identity.mean)
    want = truth.mean[truth.landmarks] - truth.between_eyes()
    np.testing.assert_allclose(points.numpy(), want, atol=1e-3)


def test_an_expression_file_of_the_same_mesh_is_added(tmp_path):
    truth = Truth(expressions=6)
    path = written.save_mat(tmp_path / "model.mat", written.bfm2009(truth))
    moves = written.save_exp_pca(tmp_path / "Exp_Pca.bin", *truth.basis("expression"))
    assert_is(read_model(path, expression=moves), truth, truth.behind_the_tip())


def full_size(tmp_path):
    """A model of the true size with one component, whose vertex k is at (k, 2 k, 0) micrometres."""
    rng = np.random.default_rng(0)
    mean = np.arange(basel.FULL)[:, None] * [1.0, 2.0, 0.0]
    arrays = {
        "shapeMU": mean.reshape(-1, 1).astype(np.float32),
        "shapePC": rng.normal(size=(mean.size, 1)).astype(np.float32),
        "shapeEV": np.ones((1, 1), np.float32),
        "tl": np.arange(1, basel.FULL + 1).reshape(-1, 3)[:, [0, 2, 1]],
    }
    return written.save_mat(tmp_path / "full.mat", arrays), mean


def test_an_expression_basis_without_the_inner_mouth_trims_the_model(tmp_path):
    path, mean = full_size(tmp_path)
    basis = np.random.default_rng(1).normal(size=(basel.TRIMMED * 3, 2))
    moves = written.save_exp_pca(tmp_path / "Exp_Pca.bin", basis, np.array([2.0, 0.5]))
    model = read_model(path, expression=moves)
    kept = basel.kept_vertices()
    assert model.size == len(kept) == basel.TRIMMED
    moved = (mean[kept] - mean[0]) / 1e3
    got = model.identity.mean - model.identity.mean[0]
    np.testing.assert_allclose(got.numpy(), moved, atol=1e-3)
    want = (basis[:, 1] * 0.5).reshape(-1, 3)
    np.testing.assert_allclose(model.expression.directions[1].numpy(), want, rtol=1e-4, atol=1e-4)
    ends = model.faces[:, [0, 2]].numpy()
    whole = kept[ends] // 3
    np.testing.assert_array_equal(whole[:, 0], whole[:, 1])


def test_without_expressions_the_full_model_keeps_its_vertices_and_gets_landmarks(tmp_path):
    path, mean = full_size(tmp_path)
    model = read_model(path)
    triangles = model.landmark_embedding("68")
    got = triangles.points(model.identity.mean) - model.identity.mean[0]
    want = mean[basel.kept_vertices()[list(basel.LANDMARKS)]] / 1e3
    np.testing.assert_allclose(got.numpy(), want, atol=1e-3)


@pytest.mark.refusal
def test_expressions_of_another_mesh_are_refused(tmp_path, truth):
    path = written.save_mat(tmp_path / "model.mat", written.bfm2009(truth))
    arrays = {"w_exp": np.ones((600, 2)), "sigma_exp": np.ones((2, 1))}
    moves = written.save_mat(tmp_path / "Model_Exp.mat", arrays)
    with pytest.raises(ModelError, match="has expressions of 200 vertices, and the model has 80"):
        read_model(path, expression=moves)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("tl", None, "it lacks tl or tri"),
        ("texPC", None, "it lacks texPC"),
        ("shapePC", np.ones((12, 5)), r"its basis has shape \(12, 5\), and 80 vertices"),
        ("shapeEV", np.ones((2, 1)), "its basis has 5 components, but 2 deviations"),
        (
            "tl",
            np.full((4, 3), 81.0),
            "its faces index 80 vertices from 1 on, and go from 81 to 81",
        ),
        ("tl", np.zeros((4, 3)), "its faces index 80 vertices from 1 on, and go from 0 to 0"),
        ("tl", np.ones((4, 4)), r"its faces have shape \(4, 4\), not three vertices each"),
        ("shapeMU", np.full((240, 1), np.nan), "its mean has numbers that are not finite"),
        ("shapeMU", np.full((240, 1), 1e300), "its mean has numbers that are not finite"),
        ("shapePC", np.full((240, 5), np.inf), "its basis has numbers that are not finite"),
        ("shapeMU", np.ones((241, 1)), "its mean has 241 numbers, not three a vertex"),
        ("shapePC", "text", "shapePC is text, where an array of real numbers was expected"),
        ("shapePC", np.ones((240, 5)) * 1j, "shapePC is something else, where an array of real"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tmp_path, truth, name, value, message):
    arrays = written.bfm2009(truth)
    del arrays[name]
    if value is not None:
        arrays[name] = value
    path = written.save_mat(tmp_path / "model.mat", arrays)
    with pytest.raises(ModelError, match=f"model.mat is .*: {message}"):
        bfm2009.read(look(path))
