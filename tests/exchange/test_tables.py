import csv
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import ModelError
from morphface.exchange import write_landmark_table, write_parameter_table
from morphface.models import load_model
from tests.exchange.clips import clip_of
from tests.jointed import articulated


@pytest.fixture(scope="module")
def clip():
    return clip_of(load_model())


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_of_parameters_gives_every_number_back(tmp_path, clip):
    write_parameter_table(tmp_path / "p.csv", clip)
    rows, face = rows_of(tmp_path / "p.csv"), clip.parameters
    assert [row["frame"] for row in rows] == ["75", "76", "77", "78"]
    assert [row["time [s]"] for row in rows] == ["3.000000", "3.040000", "3.080000", "3.120000"]
    assert [row["seen"] for row in rows] == ["1", "0", "1", "1"]

    def column(name):
        return np.array([row[name] for row in rows], np.float32)

    for k, name in enumerate(clip.model.expression.names):
        assert np.array_equal(column(f"{name} [weight]"), face.expression[:, k])
    assert np.array_equal(column("rotation_y [radians]"), face.rotation[:, 1])
    assert np.array_equal(column("gaze_right_yaw [radians]"), face.gaze[:, 1, 0])
    assert np.array_equal(column("translation_z [mm]"), face.translation[:, 2])
    assert np.array_equal(column("illumination_8_blue"), face.illumination[:, 8, 2])
    person = face.identity[0, 79].expand(4)
    assert np.array_equal(column("identity_79 [standard deviations]"), person)
    assert set(column("focal [pixels]")) == {float(clip.camera.focal)}
    assert len(rows[0]) == 3 + 3 + 3 + 3 + 4 + 52 + 80 + 80 + 27 + 3


def test_columns_of_a_model_with_joints_say_their_units(tmp_path):
    model = articulated().map(lambda t: t.float() if t.is_floating_point() else t)
    write_parameter_table(tmp_path / "p.csv", clip_of(model))
    names = list(rows_of(tmp_path / "p.csv")[0])
    assert "expression0 [standard deviations]" in names
    assert "jaw_pitch [radians]" in names


@pytest.mark.parametrize(("scheme", "count"), [(None, 478), ("68", 68)])
def test_the_table_of_landmarks_says_where_the_face_is(tmp_path, clip, scheme, count):
    write_landmark_table(tmp_path / "l.csv", clip, scheme=scheme)
    rows = rows_of(tmp_path / "l.csv")
    assert len(rows) == clip.frames * count
    row = rows[2 * count + 30]
    assert (row["frame"], row["landmark"], row["scheme"]) == ("77", "30", scheme or "478")
    vertices = clip.model.landmark_embedding(row["scheme"]).points(clip.vertices_in_camera(2))[30]
    x, y, z = vertices.tolist()
    focal, (cx, cy) = float(clip.camera.focal), clip.camera.principal.tolist()
    found = [float(row[name]) for name in ("x [pixels]", "y [pixels]", "depth [mm]")]
    assert found == pytest.approx([cx + focal * x / -z, cy - focal * y / -z, -z], abs=1e-3)


@pytest.mark.refusal
def test_a_model_without_landmarks_has_no_table_of_them(tmp_path, toy):
    bare = replace(toy, landmarks={})
    words = "model 'toy' has no landmarks: run morphface models embed on it first"
    with pytest.raises(ModelError, match=re.escape(words)):
        write_landmark_table(tmp_path / "l.csv", clip_of(bare))
    assert not list(tmp_path.iterdir())
    assert torch.equal(bare.faces, toy.faces)
