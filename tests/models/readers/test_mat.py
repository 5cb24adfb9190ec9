import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from morphface.core.errors import ModelError
from morphface.models.readers.mat import read_mat
from tests.models.readers.written import save_mat

ARRAYS = {
    "double": np.linspace(-1, 1, 12).reshape(4, 3),
    "single": np.arange(6, dtype=np.float32).reshape(2, 3),
    "x": np.array([[7]], np.uint8),
    "int": np.arange(-3, 3, dtype=np.int16)[None],
    "flag": np.array([[True, False]]),
    "empty": np.zeros((0, 3)),
    "cube": np.arange(24.0).reshape(2, 3, 4),
    "a_name_of_more_than_eight_bytes": np.eye(2),
}


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_are_those_of_scipy_in_single_precision(tmp_path, compressed):
    path = save_mat(tmp_path / "m.mat", ARRAYS, do_compression=compressed)
    want = scipy.io.loadmat(path)
    got = read_mat(path, set(ARRAYS))
    assert set(got) == set(ARRAYS)
    for name, array in got.items():
        np.testing.assert_allclose(array, want[name], rtol=1e-7)
        assert array.shape == want[name].shape
        assert array.dtype != np.float64
        assert array.flags.writeable


@pytest.mark.parametrize("compressed", [False, True])
def test_fields_of_structures_stand_beside_the_others(tmp_path, compressed):
    inner = {"u": np.eye(3), "note": "text", "deep": {"v": np.arange(5.0), "w": np.ones((1, 1))}}
    path = save_mat(tmp_path / "m.mat", {"s": inner, "t": 1.0}, do_compression=compressed)
    got = read_mat(path, {"s", "u", "deep", "v", "t"})
    assert set(got) == {"u", "v", "t"}
    np.testing.assert_array_equal(got["u"], np.eye(3))
    np.testing.assert_array_equal(got["v"], np.arange(5.0)[None])


def test_what_is_not_wanted_may_be_anything(tmp_path):
    cell = np.array([[1, "x"]], dtype=object)
    path = save_mat(tmp_path / "m.mat", {"cell": cell, "text": "abc", "a": np.eye(2)})
    assert set(read_mat(path, {"a"})) == {"a"}


def test_big_endian_files_are_read(tmp_path):
    values = np.arange(6.0).reshape(2, 3)
    body = struct.pack(">2I2I", 6, 8, 6, 0) + struct.pack(">2I2i", 5, 8, 2, 3)
    body += struct.pack(">I4s", 1 << 16 | 1, b"a\0\0\0")
    body += struct.pack(">2I", 9, 48) + values.T.astype(">f8").tobytes()
    path = tmp_path / "m.mat"
    header = b"MATLAB 5.0".ljust(124) + b"\1\0MI"
    path.write_bytes(header + struct.pack(">2I", 14, len(body)) + body)
    np.testing.assert_array_equal(scipy.io.loadmat(path)["a"], values)
    np.testing.assert_array_equal(read_mat(path, {"a"})["a"], values)


@pytest.mark.parametrize(
    ("compressed", "kind"), [(False, np.float32), (False, np.float64), (True, np.float64)]
)
def test_no_more_than_the_result_is_held(tmp_path, compressed, kind):
    rng = np.random.default_rng(0)
    array = rng.normal(size=(2**19, 4)).astype(kind)
    path = save_mat(tmp_path / "m.mat", {"a": array}, do_compression=compressed)
    tracemalloc.start()
    got = read_mat(path, {"a"})["a"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < got.nbytes + 6 * 2**20


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cell", "cell is a cell array, where an array of real numbers was expected"),
        ("text", "text is text, where an array"),
        ("complex", "complex is something else, where an array"),
        ("sparse", "sparse is a sparse matrix, where an array"),
        ("object", "object is an object, where an array"),
        ("structs", "structs is something else, where an array"),
    ],
)
def test_other_than_numbers_is_refused(tmp_path, name, message):
    variables = {
        "cell": np.array([[1, "x"]], dtype=object),
        "text": "abc",
        "complex": np.ones((2, 2)) * 1j,
        "sparse": scipy.sparse.eye(3).tocsc(),
        "object": scipy.io.matlab.MatlabObject(np.array((1.0,), dtype=[("f", "O")]), "inline"),
        "structs": np.zeros((1, 2), dtype=[("f", "O")]),
    }
    path = save_mat(tmp_path / "m.mat", {name: variables[name]})
    with pytest.raises(ModelError, match=f"m.mat is a damaged MATLAB file: {message}"):
        read_mat(path, {name})


@pytest.mark.refusal
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("lost", [1, 100, 2000, 3800, 3900])
def test_a_truncated_file_is_refused(tmp_path, compressed, lost):
    values = np.random.default_rng(0).normal(size=(40, 12))
    path = save_mat(tmp_path / "m.mat", {"a": values}, do_compression=compressed)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(ModelError, match="m.mat is a damaged MATLAB file: it .*: truncated"):
        read_mat(path, {"a"})


def huge(rows, columns, stated, *, compressed):
    """An array of the given size, without its values."""
    body = struct.pack("<2I2I", 6, 8, 7, 0) + struct.pack("<2I2i", 5, 8, rows, columns)
    body += struct.pack("<I4s", 1 << 16 | 1, b"a\0\0\0") + struct.pack("<2I", 7, stated)
    element = struct.pack("<2I", 14, len(body)) + body
    if compressed:
        packed = zlib.compress(element)
        element = struct.pack("<2I", 15, len(packed)) + packed
    return b"MATLAB 5.0".ljust(124) + b"\0\1IM" + element


@pytest.mark.refusal
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("rows", "columns", "stated", "message"),
    [
        (125_000, 100_000, 2**32 - 8, r"an array of shape \(125000, 100000\) claims 4294967288"),
        (2**15, 2**14, 2**31, "it claims 2147483648 bytes where at most"),
        (-1, -1, 4, "an array of it has no numbers"),
    ],
)
def test_a_claim_of_gigabytes_allocates_nothing(
    tmp_path, rows, columns, stated, message, compressed
):
    path = tmp_path / "m.mat"
    path.write_bytes(huge(rows, columns, stated, compressed=compressed))
    tracemalloc.start()
    with pytest.raises(ModelError, match=message):
        read_mat(path, {"a"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.refusal
def test_more_compression_than_a_model_can_have_is_refused(tmp_path):
    path = save_mat(tmp_path / "m.mat", {"a": np.zeros((2000, 2000))}, do_compression=True)
    with pytest.raises(ModelError, match="it claims 32000.* bytes where at most"):
        read_mat(path, {"a"})
