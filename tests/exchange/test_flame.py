"""Tracks of FLAME: read back by NumPy, posed by the formulas of FLAME's authors, seen by NeRF's."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from morphface.core.errors import ModelError, ParameterError
from morphface.exchange import write_flame_track
from morphface.geometry.camera import Camera
from morphface.models import load_model, save_model
from morphface.models.readers import read_model
from tests.exchange.clips import clip_of
from tests.models.readers import flame_files
from tests.models.readers.test_flame import flame

SIZES = {
    **{"shape": (300,), "expr": (1, 100), "eyes_pose": (1, 6), "static_offset": (1, 114, 3)},
    **dict.fromkeys(("rotation", "neck_pose", "jaw_pose", "translation"), (1, 3)),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("flame") / "flame2023.pkl"
    path.write_bytes(flame_files.flame_2023(flame_files.arrays()))
    return read_model(path)


@pytest.fixture(scope="module")
def clip(model):
    made = clip_of(model, frames=20)
    camera = Camera(torch.tensor(600.0), torch.tensor([300.0, 260.0]), (480, 640))
    rng = torch.Generator().manual_seed(7)
    spread = torch.randn(20, 106, generator=rng) * torch.tensor([1.0] * 100 + [0.2] * 6)
    return replace(made, camera=camera, parameters=replace(made.parameters, expression=spread))


@pytest.fixture(scope="module")
def written(clip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("avatar")
    write_flame_track(folder, clip, pictures=[3])
    return folder


def vertices_of(values):
    """What FLAME makes of a file, by the formulas of its authors and in the world of the file."""
    pose = [values["rotation"][0], values["neck_pose"][0], values["jaw_pose"][0]]
    pose += list(values["eyes_pose"].reshape(2, 3))
    posed = flame(values["shape"], values["expr"][0], pose)
    return posed + values["static_offset"][0] + values["translation"][0]


def projected(points, frame):
    """As readers of NeRF's files do: axes to OpenCV's, world to camera, pinhole."""
    to_world = np.array(frame["transform_matrix"])
    to_world[:3, 1:3] *= -1
    to_camera = np.linalg.inv(to_world)
    seen = points @ to_camera[:3, :3].T + to_camera[:3, 3]
    x = frame["fl_x"] * seen[:, 0] / seen[:, 2] + frame["cx"]
    return np.stack([x, frame["fl_y"] * seen[:, 1] / seen[:, 2] + frame["cy"]], axis=1)


def test_every_vertex_lands_where_the_track_has_it(written, clip):
    frames = json.loads((written / "transforms.json").read_text())["frames"]
    assert len(frames) == clip.frames
    for row in (0, 1, 9, 19):
        with np.load(written / frames[row]["flame_param_path"], allow_pickle=False) as file:
            values = dict(file)
        assert {name: value.shape for name, value in values.items()} == SIZES
        wanted = clip.camera.project(clip.vertices_in_camera(row))[:, :2].numpy()
        found = projected(vertices_of(values), frames[row])
        assert np.abs(found - wanted).max() < 0.02  # pixels


def test_frames_are_numbered_and_divided(written, clip):
    document = json.loads((written / "transforms.json").read_text())
    frame = document["frames"][3]
    assert (frame["timestep_index"], frame["timestep_index_original"]) == (3, 78)
    assert frame["file_path"] == "images/00003_00.png"
    assert [f["timestep_index"] for f in document["frames"] if "fg_mask_path" in f] == [3]
    assert document["timestep_indices"] == list(range(20))
    assert (frame["w"], frame["h"], frame["cx"], frame["cy"]) == (640, 480, 300, 260)
    assert frame["camera_angle_x"] == pytest.approx(2 * np.arctan(320 / 600))
    parts = [json.loads((written / f"transforms_{n}.json").read_text()) for n in ("train", "val")]
    parts.append(json.loads((written / "transforms_test.json").read_text()))
    numbers = [f["timestep_index"] for part in parts for f in part["frames"]]
    assert numbers == list(range(20))
    assert [len(part["frames"]) for part in parts] == [16, 2, 2]


def test_the_head_is_at_the_origin_on_average_and_opens_its_mouth_at_rest(written):
    moved = [np.load(path)["translation"][0] for path in (written / "flame_param").glob("*.npz")]
    np.testing.assert_allclose(np.mean(moved, axis=0), 0, atol=1e-6)
    rest = dict(np.load(written / "canonical_flame_param.npz"))
    assert rest["jaw_pose"].tolist() == [[pytest.approx(0.3), 0, 0]]
    assert not any(rest[name].any() for name in ("expr", "rotation", "neck_pose", "translation"))
    first = np.load(written / "flame_param/00000.npz")["shape"]
    assert np.array_equal(rest["shape"], first)


def test_the_origin_of_flame_survives_our_own_format(model, clip, tmp_path):
    save_model(model, tmp_path / "flame.safetensors")
    loaded = load_model(tmp_path / "flame.safetensors")
    assert torch.equal(loaded.rig.origin, model.rig.origin)


@pytest.mark.refusal
def test_what_is_not_flame_is_refused(clip, toy, tmp_path):
    with pytest.raises(ModelError, match="this one is of 'toy': name your FLAME file as flame="):
        write_flame_track(tmp_path, clip_of(toy))
    bare = replace(clip.model, rig=replace(clip.model.rig, origin=None))
    with pytest.raises(ModelError, match="does not say where FLAME's origin is"):
        write_flame_track(tmp_path, replace(clip, model=bare))
    weak = replace(clip.camera, weak_depth=torch.tensor(600.0))
    with pytest.raises(ParameterError, match="needs a perspective camera, got a weak one"):
        write_flame_track(tmp_path, replace(clip, camera=weak))
    assert not list(tmp_path.iterdir())
