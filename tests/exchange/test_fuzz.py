"""Damaged files of curves: whatever becomes of their bytes, there are no errors but our own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphface.exchange import read_arkit_json, read_live_link, write_arkit_json, write_live_link
from tests.exchange.curves import drawn
from tests.models.readers.test_fuzz import CHANGES, LOTS, damaged, tried

KINDS = {
    "take.csv": (write_live_link, read_live_link),
    "curves.json": (write_arkit_json, read_arkit_json),
}


@pytest.fixture(scope="module", params=KINDS)
def whole(request, tmp_path_factory):
    write, read = KINDS[request.param]
    path = tmp_path_factory.mktemp("fuzz") / request.param
    write(path, drawn(4))
    return path, path.read_bytes(), read


@settings(LOTS, max_examples=60)
@given(CHANGES, st.one_of(st.just(1.0), st.floats(0, 1)), st.booleans())
def test_a_damaged_file_is_read_or_refused(whole, changes, kept, near_start):
    path, data, read = whole
    path.write_bytes(damaged(data, changes, kept, near_start))
    tried(path, read)
