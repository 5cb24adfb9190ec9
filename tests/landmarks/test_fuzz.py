"""Damaged landmark files raise nothing but our errors."""

import numpy as np

from morphface.landmarks import read_landmarks
from tests.fuzz import landmark_files, mutated, survives


def test_damaged_landmarks_raise_nothing_but_our_errors(tmp_path):
    rng = np.random.default_rng(0)
    for suffix, data in landmark_files().items():
        path = tmp_path / f"a.{suffix}"
        path.write_bytes(data)
        assert survives(read_landmarks, path)
        for _ in range(60):
            path.write_bytes(mutated(data, rng))
            survives(read_landmarks, path)
