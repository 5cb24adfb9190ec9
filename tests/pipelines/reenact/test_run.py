import json
import shutil

import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.generate.checkpoint import save_generator
from morphface.generate.generator import make_generator
from morphface.generate.windows import ConditioningWindows
from morphface.parameters import load_track
from morphface.pipelines.reenact import open_run
from morphface.pipelines.reenact.backdrop import clip_of
from morphface.pipelines.reenact.target import read_target, write_target
from tests.media.shards.samples import small_folder
from tests.pipelines.rendered_dataset import talking


def test_a_run_keeps_the_parameters_crop_and_camera_of_its_person(run):
    target = read_target(run)
    _, face = talking(24)
    torch.testing.assert_close(target.track.parameters.to_vector(), face.to_vector())
    assert (target.crop.left, target.crop.top, target.crop.side) == (10, 4, 32)
    assert target.track.camera.size == (32, 32)
    assert float(target.track.camera.focal) == pytest.approx(2.2 * 32)
    assert target.rate == pytest.approx(25)
    assert (target.whole, target.picture.size) == (False, (32, 32))
    assert load_track(run / "target.npz")[1]["model"] == "open-head"  # any command can read it


def test_a_whole_frame_is_kept_where_the_clip_lies_beside_the_dataset(
    tmp_path, shards, clip, generator
):
    beside = shards.path / clip.name
    shutil.copy(clip, beside)
    try:
        write_target(tmp_path, shards, generator.config)
    finally:
        beside.unlink()
    target = read_target(tmp_path)
    assert (target.whole, target.picture.size) == (True, (40, 56))


def test_a_clip_in_a_folder_beside_us_is_found_when_the_run_is_used(
    tmp_path, run, clip, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    target = read_target(run)
    assert clip_of(run, target, None) is None
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / clip.name).write_bytes(b"another film of that name")
    assert clip_of(run, target, None) is None
    shutil.copy(clip, tmp_path / "clips")
    assert clip_of(run, target, None) == tmp_path / "clips" / clip.name


def test_frames_are_those_of_the_windows_of_the_dataset(run, shards, generator):
    opened = open_run(run)
    made = torch.stack([m.frame for m in opened.frames(opened.target.track.parameters)])
    windows = ConditioningWindows(shards, offsets=generator.config.offsets)
    given = torch.stack([windows[k]["window"] for k in range(len(windows))])
    with torch.no_grad():
        whole = (generator(given) / 2 + 0.5).permute(0, 2, 3, 1)
    assert (made - whole).abs().mean() < 0.1 * (made - whole.roll(1, 0)).abs().mean()


def test_a_run_without_its_target_takes_it_from_its_dataset(tmp_path, shards, generator):
    save_generator(tmp_path / "generator.safetensors", generator)
    (tmp_path / "source.json").write_text(json.dumps({"dataset": str(shards.path)}))
    assert open_run(tmp_path).target.track.frames == 24


def test_a_dataset_without_parameters_tells_no_target(tmp_path, generator):
    from morphface.media.shards import open_shards

    folder = tmp_path / "dataset"
    folder.mkdir()
    shards = open_shards(small_folder(folder))
    shards.manifest["clips"][0]["sequences"][0]["runs"] = []
    assert not write_target(tmp_path / "run", shards, generator.config)


@pytest.mark.refusal
def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match="there is no folder .*RUN is what `morphface train"):
        open_run(tmp_path / "none")
    with pytest.raises(MissingFileError, match="is no run: it has no generator.safetensors"):
        open_run(tmp_path)
    (tmp_path / "settings.json").write_text("{}")
    with pytest.raises(MissingFileError, match="has not come to its first checkpoint"):
        open_run(tmp_path)


@pytest.mark.refusal
def test_a_run_that_lacks_its_target_says_so(run):
    (run / "target.npz").unlink()
    with pytest.raises(MissingFileError, match="lacks target.npz, which training writes; copy"):
        open_run(run)


@pytest.mark.refusal
def test_a_run_that_lacks_its_picture_says_so(run):
    (run / "target.png").unlink()
    with pytest.raises(MissingFileError, match="lacks target.png; copy the whole folder"):
        open_run(run)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"offsets": (-1, 0)}, "offsets is -1 0, wanted -2 -1 0"),
        ({"model": "flame"}, "model is flame, wanted open-head"),
        (
            {"maps": ("diffuse", "normal", "gaze")},
            "maps is diffuse normal gaze, wanted diffuse correspondence gaze",
        ),
    ],
)
def test_weights_that_were_made_for_something_else_are_refused(run, generator, change, words):
    other = make_generator(**vars(generator.config.replace(**change)))
    save_generator(run / "generator.safetensors", other)
    with pytest.raises(ModelError, match=f"was made for something else: {words}"):
        open_run(run)


@pytest.mark.refusal
def test_a_track_of_no_run_is_refused(run, driver):
    shutil.copy(driver, run / "target.npz")
    with pytest.raises(ParameterError, match="is a track, but not of a run"):
        open_run(run)
