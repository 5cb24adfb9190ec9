"""A folder to train a head on, from a track of FLAME and its video."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.cli import run
from morphface.core.errors import ModelError
from morphface.media import VideoWriter
from morphface.models.conversion import Converted
from morphface.models.readers import read_model
from morphface.parameters import save_track
from morphface.pipelines.exports import avatar, export
from tests.exchange.clips import track_of
from tests.models.readers import flame_files


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """FLAME's file, a track that it made, and the clip, whose frames are all of one grey."""
    folder = tmp_path_factory.mktemp("avatar")
    (folder / "flame.pkl").write_bytes(flame_files.flame_2023(flame_files.arrays()))
    track = track_of(read_model(folder / "flame.pkl"), frames=4)
    save_track(folder / "track.npz", track, model="flame", extra={"video": "gone/talk.mp4"})
    with VideoWriter(folder / "talk.mp4", (72, 128), 25.0) as writer:
        for number in range(79):
            writer.write(torch.full((72, 128, 3), number / 80))
    return folder


def test_pictures_and_masks_of_the_frames_that_show_the_face_lie_beside_flame(place, tmp_path):
    out = tmp_path / "out"
    model = str(place / "flame.pkl")
    assert run(["export", str(place), "--to", "flame", "--model", model, "-o", str(out)]) == 0
    frames = json.loads((out / "transforms.json").read_text())["frames"]
    assert [frame["timestep_index_original"] for frame in frames] == [75, 77, 78]
    for frame in frames:
        shade = np.asarray(Image.open(out / frame["file_path"])).mean() / 255
        assert round(80 * shade) == frame["timestep_index_original"]
        mask = np.asarray(Image.open(out / frame["fg_mask_path"]))
        assert mask.shape == (72, 128)
        assert 0.01 < (mask > 127).mean() < 0.9
        assert (out / frame["flame_param_path"]).is_file()


def test_without_its_video_a_track_has_no_pictures(place, tmp_path):
    save_track(
        tmp_path / "track.npz", track_of(read_model(place / "flame.pkl")), model="flame", extra={}
    )
    report = export(tmp_path, "flame", tmp_path / "out", model=str(place / "flame.pkl"))
    assert "3 of 3 frames have no picture in images/" in report["notes"][-1]
    frames = json.loads((tmp_path / "out/transforms.json").read_text())["frames"]
    assert not any("fg_mask_path" in frame for frame in frames)


def test_a_track_of_another_model_is_converted(place, tmp_path, monkeypatch):
    flame = read_model(place / "flame.pkl")
    asked = []

    def convert(parameters, source, target):
        asked.append((source.name, target.name))
        return Converted(track_of(flame, parameters.frames).parameters, torch.full((3,), 0.5))

    monkeypatch.setattr(avatar, "convert_parameters", convert)
    monkeypatch.setattr(avatar, "with_landmarks_for", lambda model, *_: model)
    from morphface.models import load_model

    save_track(tmp_path / "track.npz", track_of(load_model()), model="open-head", extra={})
    report = export(tmp_path, "flame", tmp_path / "out", flame=place / "flame.pkl")
    assert asked == [("open-head", "flame")]
    assert "converted from 'open-head', whose face is 0.50 mm off" in report["notes"][1]
    with pytest.raises(ModelError, match="name your FLAME file as flame="):
        export(tmp_path, "flame", tmp_path / "none")
    assert not (tmp_path / "none").exists()
