"""Damaged files: whatever becomes of their bytes, there are no errors but our own."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morphface.core.errors import MorphfaceError
from morphface.models.readers import read_model
from morphface.models.readers.expressions import read_expression
from tests.models.readers import written
from tests.models.readers.written import Truth

TRUTH = Truth()


def _pickled(path, arrays, protocol):
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))


def _flatbuffer(path):
    basis, spread = TRUTH.basis("expression")
    written.save_flatbuffer(path, TRUTH.mean, TRUTH.faces, basis.T, spread)


WRITERS = {
    "plain.mat": lambda p: written.save_mat(p, written.bfm2009(TRUTH)),
    "packed.mat": lambda p: written.save_mat(p, written.bfm_front(TRUTH), do_compression=True),
    "struct.mat": lambda p: written.save_mat(p, written.face3d(TRUTH)),
    "v73.mat": lambda p: written.save_mat73(p, written.lsfm(TRUTH)),
    "scalismo.h5": lambda p: written.save_scalismo(p, TRUTH),
    "packed.h5": lambda p: written.save_scalismo(p, TRUTH, compression="gzip"),
    "plain.npz": lambda p: np.savez(p, **written.tddfa(TRUTH)),
    "text.pkl": lambda p: _pickled(p, written.lsfm(TRUTH), 0),
    "binary.pkl": lambda p: _pickled(p, written.tddfa(TRUTH), 4),
    "python2.pkl": lambda p: p.write_bytes(written.python2_pickle(written.tddfa(TRUTH))),
    "menpo.pkl": lambda p: p.write_bytes(written.menpo_model(TRUTH, joint=True)),
}

CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
)
LOTS = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def damaged(data, changes, kept, near_start):
    """Some bytes replaced, mostly where the structure is; the end cut off."""
    out = bytearray(data)
    span = min(len(out), 1024) if near_start else len(out)
    for place, value in changes:
        out[int(place * span)] = value
    return bytes(out[: max(1, int(kept * len(out)))])


def tried(path, read):
    said = ""
    try:
        read(path)
    except MorphfaceError as error:
        said = str(error)
    assert "\n" not in said
    assert len(said) < 1000


@pytest.fixture(scope="module", params=WRITERS)
def whole(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / request.param
    WRITERS[request.param](path)
    return path.with_name("damaged"), path.read_bytes()


@LOTS
@given(changes=CHANGES, kept=st.one_of(st.just(1.0), st.floats(0, 1)), near_start=st.booleans())
def test_a_damaged_model_is_read_or_refused(whole, changes, kept, near_start):
    path, data = whole
    path.write_bytes(damaged(data, changes, kept, near_start))
    tried(path, read_model)


@LOTS
@given(changes=CHANGES, kept=st.one_of(st.just(1.0), st.floats(0, 1)))
@pytest.mark.parametrize("write", [_flatbuffer, lambda p: written.save_exp_pca(p, *BASIS)])
def test_a_damaged_expression_basis_is_read_or_refused(tmp_path, write, changes, kept):
    path = tmp_path / "basis"
    write(path)
    path.write_bytes(damaged(path.read_bytes(), changes, kept, near_start=False))
    tried(path, lambda place: read_expression(place, 1.0))


BASIS = TRUTH.basis("identity")


@LOTS
@given(data=st.binary(max_size=400), sign=st.sampled_from([b"\x80\x02", b"\x80\x04", b"(", b"c"]))
def test_random_bytes_are_no_model(tmp_path_factory, data, sign):
    path = tmp_path_factory.getbasetemp() / "random"
    path.write_bytes(sign + data + b".")
    tried(path, read_model)
