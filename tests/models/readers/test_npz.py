import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers.npz import read_npz

ARRAYS = {
    "a": np.linspace(0, 1, 12).reshape(4, 3),
    "columns": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    "text": np.array(["x", "yz"]),
    "empty": np.zeros((0, 3)),
    "one": np.array(3),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_those_of_numpy(tmp_path, save):
    path = tmp_path / "m.npz"
    save(path, **ARRAYS)
    got = read_npz(path, [*ARRAYS, "none"])
    assert list(got) == list(ARRAYS)
    for name, want in ARRAYS.items():
        np.testing.assert_array_equal(got[name], want)


def archive(path, header, body=b"", claimed=None):
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, header)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", array.getvalue() + body)
    if claimed is not None:
        data = bytearray(path.read_bytes())
        at = data.index(b"PK\1\2")
        data[at + 24 : at + 28] = claimed.to_bytes(4, "little")
        path.write_bytes(bytes(data))
    return path


def header(shape, kind="<f4"):
    return {"descr": kind, "fortran_order": False, "shape": shape}


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("stated", "claimed", "message"),
    [
        (header((125_000, 100_000)), None, r"its a.npy claims 50000000000 bytes of shape"),
        (header((125_000, 100_000)), 2**32 - 2, "its a.npy claims 4294967294 bytes"),
        (header((4,)), 20_000, "its a.npy claims 16 bytes|damaged NumPy archive|ends early"),
        (header((4,), "|O"), None, "its a.npy holds object, not numbers"),
        (header((4,), [("x", "<f4")]), None, "its a.npy holds .*, not numbers"),
        (header((10**12,), "|S0"), None, "its a.npy holds .*S0.*, not numbers"),
    ],
)
def test_what_cannot_be_there_is_refused_and_not_allocated(tmp_path, stated, claimed, message):
    path = archive(tmp_path / "m.npz", stated, claimed=claimed)
    tracemalloc.start()
    with pytest.raises(ModelError, match=f"m.npz is .*({message})"):
        read_npz(path, ["a"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


@pytest.mark.refusal
def test_a_bomb_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    np.savez_compressed(path, a=np.zeros(2**22))
    with pytest.raises(ModelError, match="its a.npy claims 335.* bytes"):
        read_npz(path, ["a"])


@pytest.mark.refusal
def test_a_truncated_archive_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    np.savez(path, a=np.eye(4))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ModelError, match="m.npz is a damaged NumPy archive"):
        read_npz(path, ["a"])
