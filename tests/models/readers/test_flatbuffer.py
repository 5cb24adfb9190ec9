import struct

import numpy as np
import pytest

from morphface.core.errors import ModelError
from morphface.models.readers.flatbuffer import read_components, recognises
from tests.models.readers.written import save_flatbuffer

ROWS = np.arange(18.0).reshape(2, 9)


@pytest.fixture
def path(tmp_path):
    mean, faces = np.zeros(9), np.array([[0, 1, 2]])
    return save_flatbuffer(tmp_path / "e.dat", mean, faces, ROWS, [2.0, 0.5])


def test_components_are_columns_with_their_deviation(path):
    values, deviations = read_components(path)
    np.testing.assert_array_equal(values, ROWS.T)
    np.testing.assert_array_equal(deviations, [2.0, 0.5])


def test_other_files_are_not_taken_for_one(path, tmp_path):
    assert recognises(path)
    for number, data in enumerate((b"", b"text" * 100, bytes(64), path.read_bytes()[:40])):
        other = tmp_path / f"{number}.dat"
        other.write_bytes(data)
        assert not recognises(other)


@pytest.mark.refusal
def test_components_of_different_length_are_refused(tmp_path):
    rows = [np.zeros(9), np.zeros(6)]
    path = save_flatbuffer(tmp_path / "e.dat", np.zeros(9), np.zeros((1, 3)), rows, [1, 1])
    with pytest.raises(ModelError, match="its components differ in length"):
        read_components(path)


@pytest.mark.refusal
def test_an_offset_out_of_the_file_is_refused(path):
    data = path.read_bytes()
    path.write_bytes(struct.pack("<I", len(data)) + data[4:])
    with pytest.raises(ModelError, match="an offset of it leads out of the file"):
        read_components(path)
