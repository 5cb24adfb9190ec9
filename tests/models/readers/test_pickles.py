import io
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from morphface.core.errors import MissingFileError, ModelError
from morphface.models.readers.inert import Record
from morphface.models.readers.pickles import read_pickle
from tests.models.readers.written import filled, python2_pickle, standing_in


def load(tmp_path, data):
    path = tmp_path / "model.pkl"
    path.write_bytes(data)
    return read_pickle(path)


CONTENT = {
    "double": np.linspace(0, 1, 12).reshape(4, 3),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "big-endian": np.arange(4, dtype=">i4"),
    "text": np.array(["left", "right"]),
    "empty": np.zeros((0, 3)),
    "flag": np.array([True, False]),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_come_back_as_they_were_in_every_protocol(tmp_path, protocol):
    got = load(tmp_path, pickle.dumps(CONTENT, protocol=protocol))
    assert list(got) == list(CONTENT)
    for name, want in CONTENT.items():
        np.testing.assert_array_equal(got[name], want)
        assert got[name].dtype == want.dtype


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_and_scalars_come_back(tmp_path, protocol):
    want = {"a": [1, 2.5, None, True], "b": (3, "four"), "c": {"d": {}}, "e": np.float64(2.5)}
    assert load(tmp_path, pickle.dumps(want, protocol=protocol)) == want


@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "coo_matrix", "csr_array"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_sparse_matrices_come_back(tmp_path, kind, protocol):
    want = np.diag([1.0, 2.0, 3.0])[:2]
    got = load(tmp_path, pickle.dumps([getattr(sparse, kind)(want)], protocol=protocol))
    np.testing.assert_array_equal(got[0].toarray(), want)


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_chumpy_objects_become_arrays_without_chumpy(tmp_path, protocol):
    values = np.arange(6.0)
    with standing_in("chumpy.ch.Ch", "chumpy.reordering.Select", "chumpy.ch.add") as chumpy:
        held = filled(chumpy.Ch, x=values, _dirty_vars=set())
        chosen = filled(chumpy.Select, a=held, idxs=np.array([4, 1]), preferred_shape=(2, 1))
        total = filled(chumpy.add, a=held, b=held)
        data = pickle.dumps({"held": held, "chosen": chosen, "sum": total}, protocol=protocol)
    got = load(tmp_path, data)
    np.testing.assert_array_equal(got["held"], values)
    np.testing.assert_array_equal(got["chosen"], [[4], [1]])
    assert isinstance(got["sum"], Record)
    assert got["sum"].name == "chumpy.ch.add"
    np.testing.assert_array_equal(got["sum"].state["a"], values)


def test_the_byte_strings_of_python_2_are_text_and_arrays(tmp_path):
    want = {"weights": np.arange(4.0), "f": np.arange(6, dtype=np.uint32).reshape(2, 3)}
    got = load(tmp_path, python2_pickle(want))
    for name in want:
        np.testing.assert_array_equal(got[name], want[name])


def test_a_numpy_file_around_one_pickled_object_is_opened(tmp_path):
    path = tmp_path / "embedding.npy"
    np.save(path, {"lmk_face_idx": np.arange(3)}, allow_pickle=True)
    np.testing.assert_array_equal(read_pickle(path)["lmk_face_idx"], [0, 1, 2])


def test_a_list_may_hold_itself(tmp_path):
    items = [1]
    items.append(items)
    got = load(tmp_path, pickle.dumps(items))
    assert got[1] is got


def test_arrays_share_the_bytes_that_were_read(tmp_path):
    array = np.zeros(2**18)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([array], protocol=4))
    tracemalloc.start()
    read_pickle(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.2 * array.nbytes


# What is refused


class Run:
    """Calls a function when it is unpickled as usual."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


@pytest.mark.refusal
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_command_is_not_run(tmp_path, protocol):
    mark = tmp_path / "mark"
    data = pickle.dumps({"v": Run(os.system, f"touch {mark}")}, protocol=protocol)
    with pytest.raises(ModelError, match=r"model.pkl is not loaded: .* asks for \w+.system, which"):
        load(tmp_path, data)
    assert not mark.exists()
    pickle.loads(data)
    assert mark.exists()


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(Run(getattr, "a", "upper")), r"asks for builtins.getattr"),
        (pickle.dumps(Run(eval, "1")), "asks for builtins.eval"),
        (pickle.dumps(Run(bytearray, 10)), "asks for builtins.bytearray"),
        (
            pickle.dumps(Run(np._core.multiarray._reconstruct, np.ndarray, (10**12,), b"b")),
            "builds an array in an unknown way",
        ),
        (pickle.dumps(np.memmap), "asks for numpy.memmap"),
        (pickle.dumps(np.load), "asks for numpy.load"),
        (b"cnumpy\nndarray.tofile\n.", "asks for numpy.ndarray.tofile"),
        (b"ccopyreg\n__newobj__\n.", "asks for copyreg.__newobj__"),
        (b"ccopyreg\nadd_extension\n.", "asks for copyreg.add_extension"),
        (b"ccollections\nOrderedDict.fromkeys\n.", "asks for collections.OrderedDict.fromkeys"),
        (b"cscipy.sparse\nos\n.", "asks for scipy.sparse.os"),
        (b"cchumpy\nos.system\n.", "asks for chumpy.os.system"),
        (b"c" + b"o" * 500 + b"\nsystem\n.", "asks for o{100}, which is not data"),
        (b"\x80\x04\x8c\x03o\ns\x8c\x06system\x93.", r"asks for 'o\\ns.system', which is"),
        (b"\x80\x04\x8c\x05numpy\x8c\x07ndarray\x93.", "the name of a function, not data"),
        (b"Pname\n.", "asks for a persistent id, which no model needs"),
        (b"\x80\x02K\x01Q.", "asks for a persistent id"),
        (b"\x80\x02\x82\x01.", "asks for the extension registry"),
        (b"(ios\nsystem\n.", "asks for an object of an unknown class"),
        (b"(cnumpy\nndarray\no.", "asks for an object of an unknown class"),
        (b"\x80\x05\x97.", "asks for a buffer outside the file"),
        (b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nNNtR.", "an object in an unknown way"),
        (b"c_codecs\nencode\n}(Vdefaults\nNub.", "tries to change a function"),
        (b"c_codecs\nencode\n(V\nVrot13\ntR.", "text in an unknown encoding"),
        (b"\x80\x02K\x01r\xff\xff\xff\x7f.", "a memo index 2147483647 out of order"),
        (b"K\x01p99999999\n.", "a memo index 99999999 out of order"),
        (pickle.dumps({(1, 2): 3}), "a dictionary with unreadable keys"),
        (b"(lp0\n" + b"(l" * 60 + b"a" * 60 + b".", "nested deeper than any model"),
        (b"", "has 0 bytes"),
        (b"\x80\x02", "ends too early"),
        (b"\x80\x02}q", "is no pickle, or is damaged: "),
        (b"Zello", "unknown opcode"),
        (b"\x93NUMPY", "is no pickle, or is damaged"),
    ],
)
def test_anything_but_data_is_refused_in_a_sentence(tmp_path, data, message):
    with pytest.raises(ModelError, match=message) as caught:
        load(tmp_path, data)
    assert str(caught.value).startswith(f"{tmp_path / 'model.pkl'} ")


def array_pickle(shape, code, raw, dtype_state=(3, "<", None, None, None, -1, -1, 0)):
    dtype = Run(np.dtype, code, False, True, state=None)
    dtype.call = (np.dtype, (code, False, True), dtype_state)
    array = Run(np._core.multiarray._reconstruct, np.ndarray, (0,), b"b")
    array.call = (*array.call, (1, shape, dtype, False, raw))
    out = io.BytesIO()
    pickler = pickle._Pickler(out, protocol=4)
    pickler.dump(array)
    return out.getvalue()


FIELDS = (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 8, 0)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("shape", "code", "raw", "state", "message"),
    [
        ((2**33,), "f8", b"", None, "an array of shape"),
        ((50, 10**9), "u1", b"ab", None, "needs 50000000000 bytes, with 2"),
        ((2,), "f8", bytes(8), None, "needs 16 bytes, with 8"),
        ((-1,), "f8", b"", None, "an array of shape"),
        ((1,), "O", [1], None, "an array of objects, not of numbers"),
        ((1,), "O", bytes(8), None, "an array of objects, not of numbers"),
        ((1,), "V8", bytes(8), None, "an array of type 'V8', not of numbers"),
        ((1,), "f8", bytes(8), FIELDS, "an array of records, not of numbers"),
        ((1,), "M8[s]", bytes(8), None, "an array of type"),
        ((10**9,), "S0", b"", None, "an array of type 'S0'"),
    ],
)
def test_arrays_that_lie_about_themselves_are_refused(tmp_path, shape, code, raw, state, message):
    state = state or (3, "<", None, None, None, -1, -1, 0)
    data = array_pickle(shape, code, raw, state)
    tracemalloc.start()
    with pytest.raises(ModelError, match=f"model.pkl is not loaded: .*{message}"):
        load(tmp_path, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.refusal
@pytest.mark.parametrize("opcode", [b"\x8e", b"\x8d", b"\x96", b"\x95"])
def test_fifty_gigabytes_that_are_not_there_are_not_allocated(tmp_path, opcode):
    data = b"\x80\x05" + opcode + struct.pack("<Q", 50 * 2**30) + b"few."
    tracemalloc.start()
    with pytest.raises(ModelError, match="it claims 53687091200 bytes where 4 follow: truncated"):
        load(tmp_path, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.refusal
def test_a_deep_nest_of_tuples_does_not_overflow_the_stack(tmp_path):
    with pytest.raises(ModelError, match="more parts than any model has"):
        load(tmp_path, b"\x80\x02}" + b")" + b"\x85" * 20_000 + b"Ns.")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ({"indices": np.array([5, 0])}, "its sparse matrix is damaged"),
        ({"indptr": np.array([0, 1, 9])}, "its sparse matrix is damaged"),
        ({"_shape": (10**9, 10**9)}, "it has the shape 1000000000 x 1000000000"),
        ({"_shape": None}, "its sparse matrix is damaged"),
    ],
)
def test_a_damaged_sparse_matrix_is_refused(tmp_path, matrix, message):
    damaged = sparse.csc_matrix(np.eye(2))
    damaged.__dict__.update(matrix)
    with pytest.raises(ModelError, match=message):
        load(tmp_path, pickle.dumps(damaged))


@pytest.mark.refusal
def test_a_selection_that_does_not_fit_is_refused(tmp_path):
    with standing_in("chumpy.reordering.Select") as chumpy:
        data = pickle.dumps(filled(chumpy.Select, a=np.arange(3), idxs=np.array([7])))
    with pytest.raises(ModelError, match="its chumpy selection does not fit its array"):
        load(tmp_path, data)


@pytest.mark.refusal
def test_a_numpy_file_of_many_objects_is_refused(tmp_path):
    path = tmp_path / "many.npy"
    np.save(path, np.array([{}, {}]), allow_pickle=True)
    with pytest.raises(ModelError, match="it holds an array of object, not one pickled object"):
        read_pickle(path)


@pytest.mark.refusal
def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="there is no model file at .*none.pkl"):
        read_pickle(tmp_path / "none.pkl")
