import io
import os
import pickle
import resource
import struct
from importlib import import_module

import h5py
import numpy as np
import pytest
import scipy.io

from morphface.core.errors import MissingFileError, ModelError
from morphface.models import MODELS, save_model
from morphface.models.readers import READERS, about, choose_reader, look, read_model, reader_of

ARRAY = np.arange(600.0).reshape(200, 3)


def mat(path, **options):
    values = {"shapeMU": ARRAY, "tl": np.arange(3), "a_longer_name": ARRAY}
    scipy.io.savemat(path, values, appendmat=False, **options)


def blendshapes(path):
    name = b"anger"
    head = struct.pack("<QQ", 6, len(name)) + name
    path.write_bytes(head + struct.pack("<2i", 9, 1) + bytes(36))


def compressed(path):
    mat(path, do_compression=True)


def hdf5(path):
    with h5py.File(path, "w") as file:
        file["shape/mean"] = ARRAY


def npz(path):
    with path.open("wb") as file:
        np.savez(file, u=ARRAY, w_shp=ARRAY)


def model_of_eos(path):
    path.write_bytes(struct.pack("<4i", 1, 1, 9, 1) + bytes(99))


def exp_pca(path):
    path.write_bytes(b"\2\0\0\0" + ARRAY.tobytes() * 9 + bytes(36))


def text(path):
    path.write_text("v 1 2 3\nv 1 2 3\n")


def noise(path):
    path.write_bytes(bytes(range(256)) * 20 + b"!")


WRITERS = {
    "mat": (mat, {"shapeMU", "tl", "a_longer_name"}),
    "mat, compressed": (compressed, {"shapeMU", "tl", "a_longer_name"}),
    "hdf5": (hdf5, {"shape"}),
    "npz": (npz, {"u", "w_shp"}),
    "surrey": (model_of_eos, {"model"}),
    "surrey, blendshapes": (blendshapes, {"blendshapes"}),
    "exp_pca": (exp_pca, set()),
    "text": (text, set()),
    "folder": (lambda path: path.mkdir(), set()),
    "unknown": (noise, set()),
}


@pytest.mark.parametrize("case", WRITERS)
@pytest.mark.parametrize("name", ["01_MorphableModel.mat", "flame.pkl", "face"])
def test_content_is_recognised_whatever_the_name(tmp_path, case, name):
    write, names = WRITERS[case]
    write(tmp_path / name)
    content = look(tmp_path / name)
    assert (content.kind, content.names) == (case.split(",")[0], names)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_any_protocol_tells_its_keys(tmp_path, protocol):
    value = {"v_template": ARRAY, "f": np.arange(9), "kintree_table": [{"inner": 1}]}
    (tmp_path / "a.mat").write_bytes(pickle.dumps(value, protocol))
    content = look(tmp_path / "a.mat")
    assert content.kind == "pickle"
    assert content.has("v_template", "kintree_table", "inner")


def test_a_pickle_names_what_it_would_import(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'pwned'}",)

    (tmp_path / "a.pkl").write_bytes(pickle.dumps(Evil(), 2))
    assert f"{os.system.__module__}.system" in look(tmp_path / "a.pkl").names
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("text", ["(hello) this ends with.", "clobber\nx\ny."])
def test_a_text_that_starts_like_a_pickle_is_a_text(tmp_path, text):
    (tmp_path / "a.pkl").write_text(text)
    assert look(tmp_path / "a.pkl").kind == "text"


def test_files_of_a_folder_and_of_its_folders_are_named(tmp_path):
    (tmp_path / "FaceXModel").mkdir()
    (tmp_path / "FaceXModel" / "a.obj").touch()
    assert look(tmp_path).names == {"FaceXModel", "FaceXModel/a.obj"}


def pickled(path):
    path.write_bytes(pickle.dumps({"a": ARRAY}))


@pytest.mark.parametrize("case", [*WRITERS, "pickle"])
def test_any_part_of_a_file_is_looked_at_without_a_crash(tmp_path, case):
    write = pickled if case == "pickle" else WRITERS[case][0]
    if case == "folder":
        return
    write(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(40):
        part = bytearray(whole[: rng.integers(1, len(whole) + 1)])
        for place in rng.integers(0, len(part), 3):
            part[place] = rng.integers(256)
        (tmp_path / "part").write_bytes(part)
        assert look(tmp_path / "part").describe()


def huge_pickle():
    return b"\x80\x02B" + struct.pack("<I", 2**32 - 1) + b"abc"


def huge_mat():
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"a": ARRAY})
    data = bytearray(buffer.getvalue())
    data[132:136] = struct.pack("<I", 2**32 - 1)
    return bytes(data)


HUGE = {
    "pickle": huge_pickle(),
    "long pickle": b"\x80\4\x8e" + b"\xff" * 8,
    "mat": huge_mat(),
    "safetensors": (2**39).to_bytes(8, "little") + b"{}",
}


@pytest.mark.parametrize("data", HUGE.values(), ids=HUGE)
def test_a_stated_size_is_never_allocated(tmp_path, data):
    (tmp_path / "huge").write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    look(tmp_path / "huge")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_our_own_files_are_read_whatever_their_name(toy, tmp_path):
    save_model(toy, tmp_path / "BFM_model_front.mat")
    assert read_model(tmp_path / "BFM_model_front.mat").name == "toy"
    assert reader_of(MODELS["open-head"]) == "native"


@pytest.mark.parametrize("case", WRITERS)
def test_no_two_readers_want_the_same_content(tmp_path, case):
    WRITERS[case][0](tmp_path / "a")
    modules = [import_module(f"morphface.models.readers.{name}") for name in READERS]
    wanting = [module for module in modules if module.recognises(look(tmp_path / "a"))]
    assert len(wanting) <= 1
    assert choose_reader(look(tmp_path / "a")) == (wanting[0] if wanting else None)


def test_what_a_reader_is_for_and_its_units_are_told():
    kind, units = about(MODELS["open-head"])
    assert kind == "a morphface model (.safetensors)"
    assert units


@pytest.mark.refusal
def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"there is no model file at .*nowhere"):
        look(tmp_path / "nowhere")


@pytest.mark.refusal
def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match="is neither a file nor a folder"):
        look(tmp_path / "pipe")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"\x1f\x8b\x08" + bytes(50), "a gzip-compressed file, which must be decompressed first"),
        (b"\x93NUMPY" + bytes(50), "a single NumPy array"),
        (b"v 1 2 3\n", "a text file"),
        (b"\xff\xfe\xfd\xfc" * 9, "a file of a kind that is not known here"),
    ],
)
def test_another_file_is_refused_by_what_it_is(tmp_path, data, words):
    (tmp_path / "bfm.h5").write_bytes(data)
    with pytest.raises(ModelError, match=rf"bfm\.h5 is {words}, not a model known here: "):
        read_model(tmp_path / "bfm.h5")
    with pytest.raises(ModelError, match=f"is {words}, not a model known here"):
        about(tmp_path / "bfm.h5")


@pytest.mark.refusal
def test_a_file_with_other_variables_names_some(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"weather": ARRAY})
    with pytest.raises(ModelError, match="is a MATLAB file with weather, not a model known here"):
        read_model(tmp_path / "a.mat")


@pytest.mark.refusal
def test_another_model_than_expected_is_named(toy, tmp_path):
    save_model(toy, tmp_path / "01_MorphableModel.mat")
    with pytest.raises(ModelError, match=r"looks like a morphface model .* but a FLAME model"):
        read_model(tmp_path / "01_MorphableModel.mat", expected="flame")


@pytest.mark.refusal
def test_an_option_that_a_reader_lacks_is_refused():
    with pytest.raises(ModelError, match=r"has no option expression: it takes none"):
        read_model(MODELS["open-head"], expression="a.bin")
