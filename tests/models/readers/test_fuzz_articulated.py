"""Damaged files of FLAME, ICT-FaceKit and eos, and of what comes with them."""

import io
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphface.core.errors import ModelWarning
from morphface.models.readers import read_model
from morphface.models.readers.flame_landmarks import read_landmarks
from morphface.models.readers.flame_texture import read_texture
from tests.models.readers import flame_files, gnm_files, test_ict, test_surrey, test_tddfa_v3
from tests.models.readers.test_fuzz import CHANGES, LOTS, damaged, tried


def in_archive(given):
    """A NumPy archive, compressed, whose sparse parts are dense."""
    stream = io.BytesIO()
    dense = {k: v.toarray() if hasattr(v, "toarray") else v for k, v in given.items()}
    np.savez_compressed(stream, **dense)
    return stream.getvalue()


def in_dictionary(given):
    """What NumPy saves of a dictionary: a pickle with a header."""
    stream = io.BytesIO()
    np.save(stream, given, allow_pickle=True)
    return stream.getvalue()


MODELS = {
    **{f"{name}.pkl": make(flame_files.arrays()) for name, make in flame_files.VERSIONS.items()},
    "surrey.bin": test_surrey.archive(1),
    "flame.npz": in_archive(flame_files.arrays()),
    "gnm.npz": in_archive(gnm_files.arrays()),
    "face_model.npy": in_dictionary(test_tddfa_v3.content()),
    "eos.bin": test_surrey.archive(2, expression=b"\0\1\0\0\0" + test_surrey.blendshapes()[1]),
}
SOME = settings(LOTS, max_examples=25)
DAMAGE = {
    "changes": CHANGES,
    "kept": st.one_of(st.just(1.0), st.floats(0, 1)),
    "near_start": st.booleans(),
}


@pytest.fixture(scope="module")
def flame(tmp_path_factory):
    path = tmp_path_factory.mktemp("flame") / "model.pkl"
    path.write_bytes(flame_files.flame_2023(flame_files.arrays()))
    return path


@SOME
@given(**DAMAGE)
@pytest.mark.parametrize("name", MODELS)
def test_a_damaged_model_is_read_or_refused(tmp_path, name, changes, kept, near_start):
    path = tmp_path / name
    path.write_bytes(damaged(MODELS[name], changes, kept, near_start))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        tried(path, read_model)


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    drawn = test_ict.drawn()
    folder = tmp_path_factory.mktemp("ict")
    test_ict.write_packed(folder / "whole.npz", drawn)
    test_ict.write_folder(folder / "head", drawn)
    return folder


@SOME
@given(**DAMAGE)
def test_a_damaged_packed_head_is_read_or_refused(head, changes, kept, near_start):
    data = (head / "whole.npz").read_bytes()
    (head / "ict.npz").write_bytes(damaged(data, changes, kept, near_start))
    tried(head / "ict.npz", read_model)


@pytest.mark.parametrize("name", ["generic_neutral_mesh.obj", "jawOpen.obj", "vertex_indices.json"])
def test_a_damaged_file_of_a_folder_is_read_or_refused(head, name):
    path = head / "head" / name
    data = path.read_bytes()

    @SOME
    @given(**DAMAGE)
    def each(changes, kept, near_start):
        path.write_bytes(damaged(data, changes, kept, near_start))
        tried(head / "head", read_model)

    each()
    path.write_bytes(data)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_damaged_texture_is_read_or_refused(tmp_path, flame, order):
    path = tmp_path / "texture.npz"
    np.savez_compressed(path, **flame_files.texture(np.random.default_rng(0), order))
    data, faces = path.read_bytes(), read_model(flame).faces

    @SOME
    @given(**DAMAGE)
    def each(changes, kept, near_start):
        path.write_bytes(damaged(data, changes, kept, near_start))
        tried(path, lambda place: read_texture(place, faces, len(faces)))

    each()


@pytest.mark.parametrize("kind", ["static", "dynamic"])
def test_a_damaged_embedding_is_read_or_refused(tmp_path, flame, kind):
    rng = np.random.default_rng(0)
    path = tmp_path / "embedding"
    path.write_bytes(flame_files.static_embedding(rng, 68)[1])
    if kind == "dynamic":
        with path.open("wb") as file:
            np.save(file, np.array(flame_files.deca_embedding(rng), dtype=object))
    data, faces = path.read_bytes(), read_model(flame).faces

    @SOME
    @given(**DAMAGE)
    def each(changes, kept, near_start):
        path.write_bytes(damaged(data, changes, kept, near_start))
        tried(path, lambda place: read_landmarks([place], faces))

    each()
