"""3DDFA-V3's dictionary, pickled by NumPy, read without running anything."""

import numpy as np
import pytest
import torch

from morphface.core.errors import ModelError
from morphface.models.readers import about, look, read_model
from tests.models.readers.written import Truth

TRUTH = Truth()


def column(name):
    """A basis in decimetres or colours, times its standard deviations, as the file has it."""
    basis, spread = TRUTH.basis(name)
    return basis * spread


def content():
    size = len(TRUTH.mean)
    return {
        "u": (TRUTH.mean / 100).reshape(-1, 1).astype(np.float32),
        "id": (column("identity") / 100).astype(np.float32),
        "exp": (column("expression") / 100).astype(np.float32),
        "u_alb": np.full((3 * size, 1), 120.0, np.float32),
        "alb": np.full((3 * size, 2), 3.0, np.float32),
        "tri": TRUTH.faces.astype(np.int64),
        "ldm68": np.arange(68),
        "uv_coords": np.random.default_rng(0).uniform(size=(size, 2)),
        "annotation": [np.arange(3), np.arange(5)],
    }


def saved(path, change=None):
    given = {**content(), **(change or {})}
    np.save(path, {k: v for k, v in given.items() if v is not None}, allow_pickle=True)
    return path


def test_the_dictionary_is_a_model_in_millimetres(tmp_path):
    path = saved(tmp_path / "face_model.npy")
    model = read_model(path)
    assert model.name == "3ddfa-v3"
    assert about(path)[0] == "3DDFA-V3's face (face_model.npy)"
    ours = model.identity.mean - model.identity.mean[0]
    np.testing.assert_allclose(ours, TRUTH.mean - TRUTH.mean[0], atol=1e-4)
    for basis, name in ((model.identity, "identity"), (model.expression, "expression")):
        wanted = column(name).T.reshape(basis.rank, -1, 3)
        np.testing.assert_allclose(basis.directions, wanted, atol=1e-4)
    assert torch.allclose(model.reflectance.mean, torch.tensor(120 / 255))
    assert torch.allclose(model.reflectance.directions, torch.tensor(3 / 255))
    corners = model.landmarks["68"].points(model.identity.mean)
    assert torch.allclose(corners, model.identity.mean[:68])
    assert torch.equal(model.uv_faces, model.faces)
    assert set(map(tuple, model.faces.sort(1)[0].tolist())) == set(
        map(tuple, np.sort(TRUTH.faces).tolist())
    )


def test_what_may_be_absent_may_be_absent(tmp_path):
    bare = dict.fromkeys(("ldm68", "uv_coords", "annotation"))
    model = read_model(saved(tmp_path / "face_model.npy", bare))
    assert model.uv is None
    assert model.landmarks == {}


@pytest.mark.refusal
def test_other_dictionaries_are_told_by_what_they_hold(tmp_path):
    np.save(tmp_path / "faceverse.npy", {"meanshape": np.zeros(9), "idBase": np.zeros(9)})
    words = "faceverse.npy is a Python pickle with idBase, meanshape, ..., not a model known here"
    with pytest.raises(ModelError, match=words):
        read_model(tmp_path / "faceverse.npy")
    np.save(tmp_path / "plain.npy", np.zeros(9))
    with pytest.raises(ModelError, match="plain.npy is a single NumPy array, not a model"):
        read_model(tmp_path / "plain.npy")
    assert look(tmp_path / "plain.npy").kind == "unknown"


@pytest.mark.refusal
def test_a_dictionary_that_asks_for_more_than_data_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return eval, ("run",)

    saved(tmp_path / "face_model.npy", {"extra": Evil()})
    with pytest.raises(ModelError, match="its pickle asks for builtins.eval, which is not data"):
        read_model(tmp_path / "face_model.npy")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"uv_coords": np.zeros((3, 2))}, "its uv_coords have shape"),
        ({"uv_coords": np.full((80, 2), 7.0)}, "its uv_coords are not from 0 to 1"),
        ({"tri": np.full((5, 3), 99)}, "its faces index 80 vertices from 0 on"),
        ({"alb": np.zeros((9, 2))}, "its basis has shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, change, words):
    with pytest.raises(ModelError, match=words):
        read_model(saved(tmp_path / "face_model.npy", change))
