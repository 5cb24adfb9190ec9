import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers import read_model
from tests.models.readers import written
from tests.models.readers.written import Truth, assert_is


@pytest.mark.parametrize("save", [written.save_mat, written.save_mat73])
def test_decimetres_scaled_bases_and_its_own_landmarks(tmp_path, save):
    truth = Truth()
    model = read_model(save(tmp_path / "m.mat", written.bfm_front(truth)), expected="bfm_front")
    assert_is(model, truth, truth.between_eyes())
    points = model.landmark_embedding("68").points(model.identity.mean)
    want = truth.mean[truth.landmarks] - truth.between_eyes()
    np.testing.assert_allclose(points.numpy(), want, atol=1e-3)
    np.testing.assert_array_equal(model.regions["skin"].numpy(), truth.mean[:, 1] > 0)


def test_the_jaw_is_trusted_less_than_the_rest(tmp_path):
    path = written.save_mat(tmp_path / "m.mat", written.bfm_front(Truth()))
    confidence = read_model(path).landmark_embedding("68").confidence
    assert confidence[:17].max() < confidence[17:].min() == 1.0


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("keypoints", np.ones((1, 5)), "it has 5 landmarks, and 68 were expected"),
        ("keypoints", np.full((1, 68), 99.0), "landmarks index 80 vertices from 1 on, and go from"),
        ("skinmask", np.ones((1, 7)), "its skinmask has 7 entries for 80 vertices"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, name, value, message):
    arrays = written.bfm_front(Truth()) | {name: value}
    with pytest.raises(ModelError, match=f"m.mat is not loaded: .*{message}"):
        read_model(written.save_mat(tmp_path / "m.mat", arrays))


@pytest.mark.refusal
def test_a_landmark_off_the_surface_is_refused(tmp_path):
    arrays = written.bfm_front(Truth())
    arrays["tri"] = arrays["tri"][:20]
    with pytest.raises(ModelError, match="landmark vertex .* belongs to no face of the model"):
        read_model(written.save_mat(tmp_path / "m.mat", arrays))
