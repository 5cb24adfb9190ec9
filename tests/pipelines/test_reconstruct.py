import importlib
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from morphface.core.errors import (
    BackendError,
    NoFaceError,
    OutputError,
    ParameterError,
    VerdictError,
)
from morphface.fit.verdict import Verdict, Warned
from morphface.media.images import write_image
from morphface.models import load_model
from morphface.parameters import load_parameters
from morphface.pipelines import fit_photo, reconstruct
from tests.data import needs_detector, shared

FILES = ["face.npz", "head.glb", "head.mtl", "head.obj", "head.png", "overlay.png", "report.json"]

MODULE = importlib.import_module("morphface.pipelines.reconstruct")


def names(folder):
    return sorted(item.name for item in folder.iterdir())


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory):
    needs_detector()
    out = tmp_path_factory.mktemp("astronaut")
    return reconstruct("sample:astronaut", out), out


@pytest.fixture
def faked(known, monkeypatch):
    """`reconstruct` without a detector: two faces, one of them not converged."""
    bad = replace(known.faces[0].fit, converged=False, reason="too dark", landmark_nme=float("nan"))
    pair = (known.faces[0], replace(known.faces[0], fit=bad))
    chosen = {"all": pair, "largest": pair[:1]}
    monkeypatch.setattr(
        MODULE, "fit_photo", lambda image, *, faces, **rest: replace(known, faces=chosen[faces])
    )


def test_the_sample_is_fitted_well(astronaut):
    report, _ = astronaut
    (face,) = report["faces"]
    assert face["converged"]
    assert face["stage"] == "pixels"
    assert face["landmark_nme"] <= 0.035
    assert face["photometric_rmse"] < 0.13
    assert face["iterations"] > 5
    assert set(face["energies"]) >= {"photometric", "landmarks", "identity", "expression"}
    assert abs(face["pose_degrees"]["yaw"]) < 10
    assert set(face["seconds"]) >= {"detect", "fit", "pixels"}
    left, top, right, bottom = face["box"]
    assert 170 < left < 200 < 250 < right < 290
    assert 60 < top < 90 < 150 < bottom < 200


def test_files_of_the_sample_agree_with_each_other(astronaut):
    report, out = astronaut
    assert names(out) == FILES
    assert json.loads((out / "report.json").read_text()) == report
    parameters, camera, header = load_parameters(out / "face.npz")
    model = load_model(header["model"])
    vertices = model.vertices(parameters.identity, parameters.expression, parameters.gaze)[0]
    loaded = trimesh.load(out / "head.obj", process=False)
    assert set(loaded.geometry) == {"skin", "eyes", "teeth", "tongue"}
    extent = np.array([vertices.amin(0).tolist(), vertices.amax(0).tolist()])
    np.testing.assert_allclose(loaded.bounds, extent, atol=1e-3)
    assert camera.size == (512, 512)
    with Image.open(out / "overlay.png") as picture:
        assert picture.size == (1920, 994)


def test_one_face_is_written_to_the_folder_itself(faked, tmp_path):
    report = reconstruct("x.jpg", tmp_path / "out", texture_size=64)
    assert names(tmp_path / "out") == FILES
    assert [face["folder"] for face in report["faces"]] == ["."]


def test_all_faces_get_a_folder_each_and_one_report(faked, tmp_path):
    report = reconstruct("x.jpg", tmp_path, faces="all", texture_size=64)
    assert names(tmp_path) == ["face_0", "face_1", "report.json"]
    inside = [name for name in FILES if name != "report.json"]
    assert names(tmp_path / "face_0") == names(tmp_path / "face_1") == inside
    assert [face["folder"] for face in report["faces"]] == ["face_0", "face_1"]


def test_the_report_is_strict_json_and_says_what_may_not_be_trusted(faked, tmp_path):
    reconstruct("x.jpg", tmp_path, faces="all", only=["report"])
    text = (tmp_path / "report.json").read_text()
    report = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(report) >= {"image", "model", "faces", "versions"}
    good, bad = report["faces"]
    keys = {"box", "converged", "landmark_nme", "pose_degrees", "seconds"}
    assert set(good) >= keys
    assert good["converged"]
    assert not bad["converged"]
    assert bad["reason"] == "too dark"
    assert bad["landmark_nme"] is None
    want = {"yaw": np.rad2deg(0.3), "pitch": np.rad2deg(0.1), "roll": 0.0}
    assert good["pose_degrees"] == pytest.approx(want, abs=1e-2)


def test_the_report_has_the_verdict_and_strict_refuses_by_it(faked, known, tmp_path, monkeypatch):
    verdict = Verdict(0.25, (Warned("turned", 60.0),), True, "")
    face = replace(known.faces[0], verdict=verdict)
    monkeypatch.setattr(MODULE, "fit_photo", lambda *_, **__: replace(known, faces=(face,)))
    (told,) = reconstruct("x.jpg", tmp_path / "out", strict=["cut"], only=["report"])["faces"]
    assert told["quality"] == 0.25
    words = "the face is turned away by 60 degrees"
    assert told["warnings"] == [{"name": "turned", "value": 60.0, "words": words}]
    with pytest.raises(VerdictError, match=words):
        reconstruct("x.jpg", tmp_path / "strict", strict=["turned"])
    assert not (tmp_path / "strict").exists()


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_an_interrupted_run_leaves_nothing(faked, tmp_path, monkeypatch, failure):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr("morphface.pipelines.head_files.write_head", fail)
    with pytest.raises(failure):
        reconstruct("x.jpg", tmp_path / "out")
    assert names(tmp_path) == []


def test_steps_are_told(tmp_path):
    needs_detector()
    told = []
    result = fit_photo("sample:astronaut", stage="linear", progress=told.append)
    assert told == ["reading the picture", "looking for faces", "fitting"]
    assert result.faces[0].pixels is None
    assert "pixels" not in result.faces[0].seconds


def test_every_face_of_a_group_is_fitted_the_largest_first():
    needs_detector()
    faces = fit_photo(shared("photos", "laos_two_faces.jpg"), faces="all", stage="linear").faces
    boxes = [face.fit.landmarks.box for face in faces]
    areas = [(right - left) * (bottom - top) for left, top, right, bottom in boxes]
    assert len(faces) == 2
    assert areas == sorted(areas, reverse=True)
    second = fit_photo(shared("photos", "laos_two_faces.jpg"), faces=1, stage="linear").faces[0]
    torch.testing.assert_close(second.fit.predicted, faces[1].fit.predicted)


def test_landmarks_from_a_file_take_the_place_of_the_detector(known, tmp_path):
    points = known.faces[0].fit.predicted.tolist()
    (tmp_path / "face.json").write_text(json.dumps({"scheme": "478", "points": points}))
    write_image(tmp_path / "face.png", known.photo.pixels)
    (face,) = fit_photo(
        tmp_path / "face.png", landmarks=tmp_path / "face.json", stage="linear"
    ).faces
    assert face.fit.landmark_nme < 0.005
    rotation = known.faces[0].parameters.rotation
    torch.testing.assert_close(face.parameters.rotation, rotation, atol=0.05, rtol=0)


@pytest.mark.refusal
def test_an_unwritable_folder_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a part of the path is a file"):
        reconstruct("there is no such picture.jpg", tmp_path / "file" / "out")


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("device", "message"),
    [("tpu9", "there is no device 'tpu9'"), ("mps", "device 'mps' is not supported")],
)
def test_an_unusable_device_is_refused(device, message):
    with pytest.raises(BackendError, match=message):
        fit_photo("sample:astronaut", device=device)


@pytest.mark.refusal
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU")
def test_cuda_without_a_gpu_is_refused():
    with pytest.raises(BackendError, match="torch sees no CUDA GPU; use cpu"):
        fit_photo("sample:astronaut", device="cuda")


@pytest.mark.refusal
@pytest.mark.parametrize("focal", [0.0, -5.0, float("nan"), float("inf"), 1e12, "wide"])
def test_an_impossible_focal_length_is_refused(focal):
    with pytest.raises(ParameterError, match="focal must be 0.2 to 50 times"):
        fit_photo("sample:astronaut", focal=focal)


@pytest.mark.refusal
def test_an_unknown_stage_is_refused():
    with pytest.raises(ParameterError, match="stage must be one of linear, pixels, got 'deep'"):
        fit_photo("sample:astronaut", stage="deep")


@pytest.mark.refusal
def test_a_face_that_is_not_there_is_refused():
    needs_detector()
    with pytest.raises(NoFaceError, match="there is no face 7"):
        fit_photo("sample:astronaut", faces=7)


@pytest.mark.refusal
@pytest.mark.parametrize("size", [0, 63, 4097])
def test_a_texture_of_no_sensible_size_is_refused_before_any_work(tmp_path, size):
    with pytest.raises(ParameterError, match=f"from 64 to 4096 pixels, got {size}"):
        reconstruct("missing.png", tmp_path / "out", texture_size=size)
