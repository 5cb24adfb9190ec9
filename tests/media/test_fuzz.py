"""Damaged pictures raise nothing but our errors."""

import numpy as np
import pytest

from morphface.media.images import read_image
from tests.fuzz import mutated, picture_files, survives


@pytest.fixture(scope="module")
def files():
    return picture_files()


@pytest.mark.filterwarnings("ignore")
def test_damaged_pictures_raise_nothing_but_our_errors(files):
    rng = np.random.default_rng(0)
    for name, data in files.items():
        assert survives(read_image, data), name
        for _ in range(25):
            survives(read_image, mutated(data, rng))
