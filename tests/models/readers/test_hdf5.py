import tracemalloc

import h5py
import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers.hdf5 import open_hdf5

VALUES = np.arange(24.0).reshape(8, 3)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.h5"


def make(path, fill):
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def read(path, name="a"):
    with open_hdf5(path) as file:
        return file.array(name)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"chunks": (3, 2)},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"compression": "lzf"},
    ],
)
def test_matrices_are_read_into_columns_of_single_precision(path, how):
    make(path, lambda file: file.create_dataset("g/a", data=VALUES, **how))
    got = read(path, "g/a")
    np.testing.assert_array_equal(got, VALUES)
    assert got.dtype == np.float32
    assert got.T.flags.c_contiguous


def test_matlab_s_orientation_is_the_transposed_one(path):
    make(path, lambda file: file.create_dataset("a", data=VALUES))
    with open_hdf5(path) as file:
        np.testing.assert_array_equal(file.matlab("a"), VALUES.T)


def test_names_and_texts_are_found(path):
    def fill(file):
        file["g/a"], file["g/b"], file["g/c"] = 1, np.bytes_(b"text"), np.array([109, 0], np.int8)

    make(path, fill)
    with open_hdf5(path) as file:
        assert file.names("g") == ["a", "b", "c"]
        assert (file.text("g/b"), file.text("g/c")) == ("text", "m")
        assert file.names("g/a") == file.names("none") == []
        assert not file.has("g/a/b")


@pytest.mark.parametrize("how", [{}, {"compression": "gzip", "compression_opts": 1}])
def test_no_more_than_the_result_is_held(path, how):
    rng = np.random.default_rng(0)
    data = rng.normal(size=(2**17, 16)).astype(np.float32)
    make(path, lambda file: file.create_dataset("a", data=data, **how))
    tracemalloc.start()
    got = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < got.nbytes + 10 * 2**20


def elsewhere(path):
    return make(path.with_name("other.h5"), lambda file: file.create_dataset("a", data=VALUES))


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["a", "g/a"])
def test_an_external_link_is_refused(path, name):
    other = elsewhere(path)
    target = h5py.ExternalLink(other, "/a" if name == "a" else "/")
    make(path, lambda file: file.__setitem__(name.split("/")[0], target))
    with pytest.raises(ModelError, match=f"m.h5 is not loaded: its {name} is a link to elsewhere"):
        read(path, name)


@pytest.mark.refusal
def test_a_soft_link_is_refused(path):
    make(path, lambda file: file.__setitem__("a", h5py.SoftLink("/b")))
    with pytest.raises(ModelError, match="its a is a link to elsewhere, which no model needs"):
        read(path)


@pytest.mark.refusal
def test_external_storage_is_refused(path):
    raw = path.with_name("raw.bin")
    raw.write_bytes(VALUES.tobytes())
    external = [(raw, 0, VALUES.nbytes)]
    make(path, lambda file: file.create_dataset("a", (8, 3), "f8", external=external))
    with pytest.raises(ModelError, match="its a is stored in another file, which no model needs"):
        read(path)


@pytest.mark.refusal
def test_a_virtual_dataset_is_refused(path):
    layout = h5py.VirtualLayout((8, 3), "f8")
    layout[:] = h5py.VirtualSource(elsewhere(path), "a", (8, 3))
    make(path, lambda file: file.create_virtual_dataset("a", layout))
    with pytest.raises(ModelError, match="its a is stored in another file"):
        read(path)


@pytest.mark.refusal
@pytest.mark.parametrize(
    "how", [{}, {"chunks": (1000, 1000)}, {"chunks": (100, 100), "compression": "gzip"}]
)
def test_fifty_gigabytes_that_are_not_stored_are_not_allocated(path, how):
    def fill(file):
        file.create_dataset("a", (250_000, 50_000), "f4", **how)

    make(path, fill)
    tracemalloc.start()
    with pytest.raises(ModelError, match="its a claims 50000000000 bytes of shape"):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.refusal
def test_more_compression_than_a_model_can_have_is_refused(path):
    zeros = np.zeros((3000, 3000))
    make(path, lambda file: file.create_dataset("a", data=zeros, compression="gzip"))
    with pytest.raises(ModelError, match="its a claims 72000000 bytes"):
        read(path)


@pytest.mark.refusal
def test_a_filter_that_would_load_a_plugin_is_refused(path):
    def fill(file):
        file.create_dataset("a", data=np.arange(64), chunks=(64,), scaleoffset=0)

    make(path, fill)
    with pytest.raises(ModelError, match="its a is compressed in a way that is not known here"):
        read(path)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("text", "its a holds object, not numbers"),
        (np.ones(3) * 1j, "its a holds complex128, not numbers"),
        (np.zeros(2, [("x", "f4")]), "its a holds .*, not numbers"),
        (h5py.Empty("f4"), "it has no dataset a"),
    ],
)
def test_other_than_numbers_is_refused(path, value, message):
    make(path, lambda file: file.create_dataset("a", data=value))
    with pytest.raises(ModelError, match=message):
        read(path)


@pytest.mark.refusal
@pytest.mark.parametrize("value", [np.ones(3), "of variable length"])
def test_other_than_one_text_of_fixed_length_is_refused(path, value):
    make(path, lambda file: file.__setitem__("a", value))
    with (
        pytest.raises(ModelError, match="its a holds .*, not text of fixed length"),
        open_hdf5(path) as file,
    ):
        file.text("a")


@pytest.mark.refusal
@pytest.mark.parametrize("kept", [0, 8, 100, 2000])
def test_a_truncated_file_is_refused(path, kept):
    make(path, lambda file: file.create_dataset("a", data=VALUES))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="m.h5 is a damaged HDF5 file: "):
        read(path)
