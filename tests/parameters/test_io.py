import io
import json
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import roma
import torch
from numpy.lib import format as npy

from morphface.core.errors import MissingFileError, OutputError, ParameterError
from morphface.geometry.camera import Camera
from morphface.parameters import FaceParameters
from morphface.parameters.io import load_parameters, save_parameters
from morphface.parameters.upgrade import read_upgrade

STORED = Path(__file__).parents[1] / "stored" / "parameters_v1.npz"


def random_face(rng, frames=3):
    vector = torch.randn(frames, 6 + 80 + 80 + 52 + 4 + 27, generator=rng)
    return FaceParameters.from_vector(vector, identity=80, expression=52, reflectance=80)


def moving_camera(frames=3):
    focal = torch.arange(frames) + 900.0
    return Camera(focal, torch.rand(frames, 2) * 100, (480, 640), weak_depth=focal / 2)


@pytest.fixture
def face(rng, tmp_path):
    path = tmp_path / "face.npz"
    save_parameters(path, random_face(rng), moving_camera(), model="toy", extra={"note": "é"})
    return path


def rewrite(path, **changes):
    with np.load(path) as stored:
        entries = dict(stored)
    np.savez(path, **{k: v for k, v in (entries | changes).items() if v is not None})


def header_bytes(**changes):
    header = {"format": "morphface parameters", "version": 1, "model": "toy"} | changes
    return np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)


def test_load_returns_exactly_what_was_saved(rng, tmp_path):
    parameters, camera = random_face(rng), moving_camera()
    save_parameters(tmp_path / "a.npz", parameters, camera, model="toy", extra={"box": [1, 2.5]})
    got, seen, header = load_parameters(tmp_path / "a.npz")
    for name in (field.name for field in fields(FaceParameters)):
        assert torch.equal(getattr(got, name), getattr(parameters, name))
    assert torch.equal(seen.focal, camera.focal)
    assert torch.equal(seen.principal, camera.principal)
    assert torch.equal(seen.weak_depth, camera.weak_depth)
    assert seen.size == camera.size
    assert header["model"] == "toy"
    assert header["extra"] == {"box": [1, 2.5]}
    assert header["written_with"]["torch"].startswith(torch.__version__.split("+")[0])


def test_one_perspective_camera_for_all_frames_stays_one(rng, tmp_path):
    save_parameters(tmp_path / "a.npz", random_face(rng), Camera.facing((4, 6)), model="toy")
    _, camera, _ = load_parameters(tmp_path / "a.npz")
    assert camera.focal.shape == ()
    assert camera.weak_depth is None
    assert camera.size == (4, 6)


def test_the_stored_example_of_version_1_still_reads():
    parameters, camera, header = load_parameters(STORED)
    assert header["version"] == 1
    assert header["model"] == "open-head"
    assert parameters.frames == 2
    torch.testing.assert_close(parameters.to_vector()[:, :3], torch.tensor([[0.1, 0.2, 0.3]] * 2))
    torch.testing.assert_close(parameters.gaze[1, 0], torch.tensor([0.25, -0.125]))
    torch.testing.assert_close(parameters.illumination[0, :, 0], torch.arange(9) / 8)
    assert camera.focal == 1200.0
    assert camera.size == (480, 640)


def test_the_stored_example_of_version_2_still_reads():
    parameters, camera, header = load_parameters(STORED.with_name("parameters_v2.npz"))
    assert (header["version"], header["model"]) == (2, "open-head")
    assert (header["model_revision"], header["converted_from_revision"]) == (3, 2)
    torch.testing.assert_close(parameters.identity[0], torch.arange(80) / 16 - 2)
    moved = roma.rotvec_to_rotmat(parameters.rotation[0]) @ read_upgrade("open-head", 2).shift
    torch.testing.assert_close(
        parameters.translation[0] - moved, torch.tensor([1.5, -2.25, -600.0])
    )
    assert camera.focal == 1200.0


def test_a_failed_save_keeps_the_old_file(face, rng):
    before = face.read_bytes()
    with pytest.raises(TypeError):
        save_parameters(face, random_face(rng), moving_camera(), model="toy", extra={"x": {1}})
    assert face.read_bytes() == before
    assert [item.name for item in face.parent.iterdir()] == [face.name]


@pytest.mark.refusal
def test_wrong_suffix_is_refused(rng, tmp_path):
    with pytest.raises(ParameterError, match=r"saved as \.npz, got 'face.txt'"):
        save_parameters(tmp_path / "face.txt", random_face(rng), moving_camera(), model="toy")


@pytest.mark.refusal
def test_unwritable_place_is_refused(face, rng):
    with pytest.raises(OutputError, match="cannot write to"):
        save_parameters(face / "a.npz", random_face(rng), moving_camera(), model="toy")


@pytest.mark.refusal
def test_missing_file_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="there is no parameter file"):
        load_parameters(tmp_path / "nowhere.npz")


@pytest.mark.refusal
@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 not really a zip"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ParameterError, match="is not a parameter file of morphface"):
        load_parameters(tmp_path / "a.npz")


@pytest.mark.refusal
def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="is not a parameter file of morphface"):
        load_parameters(tmp_path)


@pytest.mark.refusal
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_a_truncated_file_is_refused(face, keep):
    content = face.read_bytes()
    face.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(ParameterError, match="or it is damaged"):
        load_parameters(face)


@pytest.mark.refusal
def test_a_damaged_byte_is_noticed(face):
    content = bytearray(face.read_bytes())
    content[len(content) // 3] ^= 0xFF
    face.write_bytes(content)
    with pytest.raises(ParameterError, match="or it is damaged"):
        load_parameters(face)


@pytest.mark.refusal
def test_pickled_objects_are_never_loaded(face):
    rewrite(face, identity=np.array([[{"a": 1}]], dtype=object))
    with pytest.raises(ParameterError, match="or it is damaged"):
        load_parameters(face)


@pytest.mark.refusal
@pytest.mark.parametrize(
    "header", [None, np.zeros(4, np.uint8), np.zeros(4), header_bytes(format="x")]
)
def test_an_npz_of_something_else_is_refused(face, header):
    rewrite(face, header=header)
    with pytest.raises(ParameterError, match="but not a parameter file of morphface"):
        load_parameters(face)


@pytest.mark.refusal
def test_a_future_version_asks_for_an_update(face):
    rewrite(face, header=header_bytes(version=3))
    with pytest.raises(ParameterError, match=r"made by a newer morphface \(format 3"):
        load_parameters(face)


@pytest.mark.refusal
@pytest.mark.parametrize("version", [0, "1", None, 1.5])
def test_an_invalid_version_is_refused(face, version):
    rewrite(face, header=header_bytes(version=version))
    with pytest.raises(ParameterError, match="no valid format version"):
        load_parameters(face)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gaze": None, "rotation": None}, "lacks gaze, rotation"),
        ({"identity": np.full((1, 80), np.nan, np.float32)}, "identity must be finite"),
        ({"expression": np.zeros((4, 52), np.float32)}, "must have .* rows"),
        ({"gaze": np.zeros((3, 4), np.float32)}, "gaze must have 3 axes"),
        ({"identity": np.zeros((1, 80), int)}, "identity must hold floating-point numbers"),
        ({"camera_size": np.zeros(2)}, "camera_size must be two whole numbers"),
        ({"camera_size": np.zeros(2, int)}, "size must be at least 1 x 1"),
        ({"camera_focal": np.float32(-1)}, "the camera must be one for all"),
        ({"camera_focal": -np.ones(3, np.float32)}, "focal must be positive"),
        ({"camera_weak_depth": np.ones(2, np.float32)}, "camera_weak_depth must have shape"),
    ],
)
def test_impossible_content_is_refused(face, changes, message):
    rewrite(face, **changes)
    with pytest.raises(ParameterError, match=message):
        load_parameters(face)


@pytest.mark.refusal
def test_an_array_that_declares_more_than_it_holds_takes_no_memory(face, monkeypatch):
    monkeypatch.setattr(npy, "read_array", lambda *_, **__: pytest.fail("memory was taken"))
    lie = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}
    np.lib.format.write_array_header_1_0(lie, shape)
    with zipfile.ZipFile(face, "w") as archive:
        archive.writestr("identity.npy", lie.getvalue())
    with pytest.raises(ParameterError, match="or it is damaged"):
        load_parameters(face)


@pytest.mark.refusal
def test_a_file_that_unpacks_to_too_much_is_refused(face, monkeypatch):
    monkeypatch.setattr("morphface.parameters.io.MAX_BYTES", 1000)
    with pytest.raises(ParameterError, match="more than the 1000 allowed"):
        load_parameters(face)
