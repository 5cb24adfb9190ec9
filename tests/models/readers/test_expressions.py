import numpy as np
import pytest

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.readers.expressions import read_expression
from tests.models.readers import written

BASIS = np.random.default_rng(3).normal(size=(360, 4)).astype(np.float32)
SIGMA = np.array([5.0, 2.0, 1.0, 0.5])


def check(directions, sigma=SIGMA):
    want = (BASIS * sigma).T.reshape(4, -1, 3)
    np.testing.assert_allclose(directions.numpy(), want, rtol=1e-5, atol=1e-6)


def test_the_raw_basis_is_scaled_by_the_deviations_beside_it(tmp_path):
    check(read_expression(written.save_exp_pca(tmp_path / "Exp_Pca.bin", BASIS, SIGMA), 100.0))


@pytest.mark.parametrize("names", [("w_exp", "sigma_exp"), ("expPC", "expEV")])
@pytest.mark.parametrize("save", [written.save_mat, written.save_mat73])
def test_matlab_bases_are_in_micrometres(tmp_path, names, save):
    arrays = dict(zip(names, (BASIS, SIGMA[:, None] * 1e3), strict=True))
    check(read_expression(save(tmp_path / "e.mat", arrays), 100.0))


def test_without_deviations_the_columns_are_taken_as_they_are(tmp_path):
    path = written.save_mat(tmp_path / "e.mat", {"w_exp": BASIS * 1e3})
    check(read_expression(path, 100.0), sigma=1.0)


def test_a_basis_of_the_model_shares_its_unit(tmp_path):
    path = written.save_mat(tmp_path / "e.mat", {"exp_basis": BASIS * SIGMA / 100})
    check(read_expression(path, 100.0))


@pytest.mark.refusal
def test_missing_deviations_are_asked_for(tmp_path):
    path = written.save_exp_pca(tmp_path / "Exp_Pca.bin", BASIS, SIGMA)
    (tmp_path / "std_exp.txt").unlink()
    with pytest.raises(ModelError, match="deviations of its expressions must lie in .*std_exp.txt"):
        read_expression(path, 1.0)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("text", "message"),
    [("1 2 x 4", "std_exp.txt does not hold numbers"), ("1 2", "4 components, but 2 deviations")],
)
def test_deviations_that_do_not_fit_are_refused(tmp_path, text, message):
    path = written.save_exp_pca(tmp_path / "Exp_Pca.bin", BASIS, SIGMA)
    (tmp_path / "std_exp.txt").write_text(text)
    with pytest.raises(ModelError, match=message):
        read_expression(path, 1.0)


@pytest.mark.refusal
def test_other_files_are_told_apart(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no basis at all, but a text that is long enough")
    with pytest.raises(ModelError, match="it is a text file, not an expression basis"):
        read_expression(path, 1.0)
    with pytest.raises(MissingFileError, match="there is no model file at .*none.bin"):
        read_expression(tmp_path / "none.bin", 1.0)
    path = written.save_mat(tmp_path / "e.mat", {"other": BASIS})
    with pytest.raises(
        ModelError, match="e.mat is not loaded: it lacks w_exp or expPC or exp_basis"
    ):
        read_expression(path, 1.0)
