"""The work itself, on a photo that moves: real detector, real tracker, real maps."""

import io
import json
import shutil
from types import SimpleNamespace

import av
import numpy as np
import pytest
import torch
from PIL import Image

from morphface.core.errors import MissingFileError, ModelError
from morphface.generate.windows import ConditioningWindows
from morphface.geometry.camera import Camera, to_camera
from morphface.landmarks.detectors.mediapipe import MediaPipeDetector
from morphface.media.images import Photo, read_image
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.pipelines.prepare import PrepareSettings, work
from morphface.pipelines.prepare.sources import Clip, fingerprint, list_clips
from morphface.pipelines.prepare.unit import Job, do_unit
from morphface.pipelines.prepare.work import check_machine, work_on_clip
from morphface.render.maps import render_maps
from tests.data import needs_detector
from tests.media.video.clips import write_clip, write_tone
from tests.pipelines.prepare.inline import Inline

FRAMES = 8
SETTINGS = PrepareSettings(
    stage="linear", size=128, maps=("diffuse", "gaze", "depth", "mask"), shard_size="100"
)
BAD = {
    "text.mp4": "text.mp4 is not a video of a known kind",
    "empty.mp4": "empty.mp4 is empty",
    "sound.m4a": "sound.m4a holds sound but no pictures",
    "no_frames.avi": "no_frames.avi holds no frames",
    "noise.mp4": "no face was found in any of its frames",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A clip of a face that moves a pixel a frame, one that is cut off, and bad ones."""
    needs_detector()
    folder = tmp_path_factory.mktemp("clips")
    photo = read_image("sample:astronaut").to_uint8().numpy()[:320, 80:400]
    frames = [np.roll(photo, (k, 2 * k), (0, 1)) for k in range(FRAMES)]
    write_clip(folder / "good.mp4", frames, gop=2, muxer={"movflags": "faststart"})
    whole = (folder / "good.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: int(0.7 * len(whole))])
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(3)]
    write_clip(folder / "noise.mp4", noise)
    (folder / "text.mp4").write_text("this is no video\n" * 50)
    (folder / "empty.mp4").touch()
    with av.open(str(folder / "sound.m4a"), "w", format="mp4") as container:
        write_tone(container, container.add_stream("aac", rate=16000), 0.5)
    with av.open(str(folder / "no_frames.avi"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = 64, 64
        container.start_encoding()
    return folder


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    """The dataset of all of them."""
    from morphface.pipelines.prepare import dataset, prepare

    out = tmp_path_factory.mktemp("made") / "out"
    inputs = [folder / name for name in ("good.mp4", "cut.mp4", *BAD)]
    pool, dataset.Pool = dataset.Pool, lambda workers: Inline()
    try:
        return prepare(inputs, out, SETTINGS)
    finally:
        dataset.Pool = pool


def opened(made, number):
    """One sample: crop, maps by name from 0 to 1, parameters, facts and camera."""
    from morphface.media.shards import open_shards

    shards = open_shards(made.folder)
    facts = json.loads(shards.read(number, "json"))
    pictures = {
        name: np.asarray(Image.open(io.BytesIO(shards.read(number, f"{name}.png"))))
        for name in ("frame", *SETTINGS.maps)
    }
    vector = torch.from_numpy(np.load(io.BytesIO(shards.read(number, "params.npy"))))
    parameters = FaceParameters.from_vector(
        vector[None], identity=80, expression=52, reflectance=80
    )
    lens = facts["camera"]
    camera = Camera(torch.tensor(lens["focal"]), torch.tensor(lens["principal"]), (128, 128))
    return SimpleNamespace(facts=facts, parameters=parameters, camera=camera, **pictures)


def test_a_face_that_moves_becomes_samples(made):
    clip = made.manifest["clips"][0]
    assert clip["samples"] == FRAMES
    assert clip["sequences"][0]["runs"] == [[0, FRAMES]]
    assert clip["sequences"][0]["statistics"]["frames"] == {
        "tracked": FRAMES,
        "predicted": 0,
        "lost": 0,
    }
    windows = ConditioningWindows(made.folder, maps=("diffuse", "depth"), offsets=(-1, 0))
    assert windows[0]["window"].shape == (8, 128, 128)


def test_each_bad_clip_is_skipped_with_its_reason(made):
    reasons = dict(made.skipped)
    assert reasons.keys() == BAD.keys()
    for name, words in BAD.items():
        assert reasons[name].startswith(words), name


def test_a_clip_that_is_cut_off_is_used_as_far_as_it_goes(made):
    clip = made.manifest["clips"][1]
    assert 0 < clip["samples"] < FRAMES
    assert clip["warnings"] == ["it is cut off or damaged; what decodes of it was used"]


def test_stored_parameters_and_camera_draw_the_stored_maps(made):
    sample = opened(made, 3)
    drawn = render_maps(load_model("open-head"), sample.parameters, sample.camera, SETTINGS.maps)
    for name in ("diffuse", "gaze", "mask"):
        stored = torch.from_numpy(getattr(sample, name).astype(np.float32) / 255)
        off = (stored.reshape(drawn[name][0].shape) - drawn[name][0]).abs()
        assert float(off.mean()) < 0.01, name
    depth = torch.from_numpy(sample.depth.astype(np.float32) / 65535)
    assert float((depth - drawn["depth"][0, ..., 0]).abs().mean()) < 0.01


def test_parameters_fit_the_face_of_the_crop(made):
    sample, model = opened(made, 5), load_model("open-head")
    pixels = torch.from_numpy(sample.frame.astype(np.float32) / 255)
    with MediaPipeDetector() as detector:
        found = detector.detect(Photo(pixels))[0]
    face = sample.parameters
    vertices = model.vertices(face.identity, face.expression, face.gaze)
    placed = to_camera(model.landmarks["478"].points(vertices), face.rotation, face.translation)
    spots = sample.camera.project(placed)[0, :, :2]
    off = (spots - found.points[:, :2]).norm(dim=-1).median()
    assert float(off) < 0.04 * 128


def test_a_sample_says_where_it_comes_from(made, folder):
    facts = opened(made, 2).facts
    clip = fingerprint(list_clips([folder / "good.mp4"], "out")[0])
    assert facts["source"] == "good.mp4"
    assert facts["source_sha256"] == clip.sha256
    assert (facts["frame"], facts["state"], facts["person"]) == (2, "tracked", 0)
    assert facts["time"] == pytest.approx(2 / 25, abs=1e-3)


def test_the_same_clip_gives_the_same_bytes_again(made, folder, tmp_path):
    clip = fingerprint(list_clips([folder / "good.mp4"], tmp_path)[0])
    job = Job(str(tmp_path), clip, SETTINGS, work_on_clip, "x")
    outcome = do_unit(job, lambda frames: None)
    assert outcome.unit_sha256 == made.manifest["clips"][0]["unit_sha256"]


def test_a_face_that_wanders_is_told(folder, tmp_path):
    photo = read_image("sample:astronaut").to_uint8().numpy()[:240, 120:340]
    wide = [np.zeros((240, 640, 3), np.uint8) for _ in range(6)]
    for k, frame in enumerate(wide):
        frame[:, 80 * k : 80 * k + 220] = photo
    write_clip(tmp_path / "wide.mp4", wide)
    warnings = []
    clip = list_clips([tmp_path / "wide.mp4"], tmp_path / "out")[0]
    for _ in work_on_clip(clip, SETTINGS, warnings.append):
        pass
    assert warnings[0].startswith("the face wanders about, by 0.")


@pytest.mark.refusal
def test_a_machine_without_the_model_is_refused_at_once(tmp_path, monkeypatch):
    with pytest.raises(ModelError, match="no model is called 'nobody'"):
        check_machine(PrepareSettings(model="nobody"))

    def missing():
        raise MissingFileError("cannot download MediaPipe's model file")

    monkeypatch.setattr(work, "require_model", missing)
    with pytest.raises(MissingFileError, match="cannot download MediaPipe's model file"):
        check_machine(PrepareSettings())


def test_a_clip_is_known_by_its_content(folder, tmp_path):
    shutil.copy(folder / "good.mp4", tmp_path / "renamed.mp4")
    first, second = (
        fingerprint(list_clips([path], "out")[0])
        for path in (folder / "good.mp4", tmp_path / "renamed.mp4")
    )
    assert first.name == second.name
    assert fingerprint(Clip("/nowhere", "x", 0, 0)).sha256 == ""
