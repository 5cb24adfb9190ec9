"""From our files to those of other programs and back, by the command line and in Python."""

import csv
import json
from pathlib import Path

import numpy as np
import pygltflib
import pytest
import torch

import morphface
from morphface.cli import run
from morphface.cli.exports import KINDS
from morphface.core.errors import ParameterError, VideoError
from morphface.exchange import read_live_link
from morphface.fit.texture import HeadTexture
from morphface.media.images import write_image
from morphface.media.video import VideoWriter
from morphface.models import load_model
from morphface.parameters import load_track, save_parameters, save_track
from morphface.pipelines.exports import EXPORTS, export, heads, import_curves
from tests.exchange.clips import track_of


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """A folder as `morphface track` leaves it."""
    folder = tmp_path_factory.mktemp("talk-track")
    track = track_of(load_model(), frames=4)
    save_track(folder / "track.npz", track, model="open-head", extra={"video": "gone.mp4"})
    return folder


def test_a_track_becomes_curves_and_comes_back(talk, tmp_path, capsys):
    take, back, again = (str(tmp_path / n) for n in ("take.csv", "back.npz", "again.csv"))
    assert run(["export", str(talk), "--to", "arkit-csv", "-o", take]) == 0
    assert "timecodes count 60 frames a second" in capsys.readouterr().err
    assert run(["import", take, "-o", back]) == 0
    assert run(["export", back, "--to", "arkit-csv", "-o", again]) == 0
    track, model = load_track(talk / "track.npz")[0], load_model()
    moved = load_track(back)[0]
    look = torch.tensor(["eyeLook" in name for name in model.expression.names])
    own, other = track.parameters.expression[:, ~look], moved.parameters.expression[:, ~look]
    torch.testing.assert_close(other, own, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        moved.parameters.rotation, track.parameters.rotation, atol=1e-6, rtol=0
    )
    torch.testing.assert_close(moved.parameters.gaze, track.parameters.gaze, atol=1e-6, rtol=0)
    torch.testing.assert_close(moved.times, track.times - 3, atol=1e-4, rtol=0)
    first, second = (read_live_link(path)[0] for path in (take, again))
    torch.testing.assert_close(first.weights, second.weights, atol=1e-7, rtol=0)


def test_curves_as_json_keep_lost_frames(talk, tmp_path):
    out = tmp_path / "curves.json"
    report = export(talk / "track.npz", "arkit-json", out)
    assert report["frames"] == 4
    assert "the face is lost in 1 of 4 frames" in report["notes"][0]
    import_curves(out)
    assert load_track(tmp_path / "curves.npz")[0].states.tolist() == [0, 2, 0, 0]


def test_a_photo_is_one_row(known, tmp_path):
    face = known.faces[0]
    save_parameters(tmp_path / "face.npz", face.parameters, face.camera, model="open-head")
    export(tmp_path / "face.npz", "arkit-csv", tmp_path / "face.csv", degrees=True)
    with (tmp_path / "face.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["JawOpen"]) == pytest.approx(0.25)
    assert float(row["HeadYaw"]) == pytest.approx(-np.degrees(0.3), abs=1e-3)
    assert float(row["HeadPitch"]) == pytest.approx(-np.degrees(0.1), abs=1e-3)


def test_each_kind_is_written_where_it_is_wanted(talk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind in ("csv", "ply", "npy"):
        assert run(["export", str(talk), "--to", kind, "--quiet", "--maps", "mask"]) == 0
    named = f"{talk.name}".removesuffix("-track")
    assert (tmp_path / f"{named}-tables" / "landmarks.csv").is_file()
    assert len(list((tmp_path / f"{named}-ply").glob("*.ply"))) == 4
    assert np.load(tmp_path / f"{named}-maps" / "mask.npy").shape == (4, 72, 128, 1)


def test_without_pictures_a_head_has_the_colours_of_the_model(talk, tmp_path):
    report = export(talk, "glb", tmp_path / "head.glb")
    assert "the head has the colours of the model, since no picture" in " ".join(report["notes"])
    document = pygltflib.GLTF2().load(str(tmp_path / "head.glb"))
    assert document.animations[0].name == "track"
    assert document.meshes[0].primitives[0].attributes.COLOR_0 is not None


def test_with_its_video_a_head_has_colours_of_its_frames(talk, tmp_path, monkeypatch):
    video, seen = tmp_path / "talk.mp4", {}
    with VideoWriter(video, (72, 128), 25.0) as writer:
        for number in range(79):
            writer.write(torch.full((72, 128, 3), number / 80))

    def textured(model, photos):
        seen["shades"] = [float(photo.sight.pixels.mean()) for photo in photos]
        grey = torch.full((model.size, 3), 0.5)
        return HeadTexture(grey, torch.ones(len(photos), 3), torch.full((8, 8, 3), 0.5))

    monkeypatch.setattr(heads, "texture_from_photos", textured)
    report = export(talk, "glb", tmp_path / "head.glb", pictures=video)
    assert f"{len(seen['shades'])} frames of {video}" in report["notes"][-1]
    numbers = [round(80 * shade) for shade in seen["shades"]]
    assert set(numbers) <= {75, 77, 78}  # the track begins at 75, and the face is lost in 76
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("given", [False, True])
def test_with_its_photo_a_face_has_colours_of_it(known, tmp_path, monkeypatch, given):
    face, seen = known.faces[0], []
    (tmp_path / "fit").mkdir()
    saved = tmp_path / "fit" / "face.npz"
    extra = {"image": "elsewhere/me.png", "quarter_turns": 1}
    save_parameters(saved, face.parameters, face.camera, model="open-head", extra=extra)
    place = tmp_path / "photo.png" if given else tmp_path / "fit" / "me.png"
    write_image(place, known.photo.turned(-1).pixels)

    def textured(model, photos):
        seen.extend(photo.sight.pixels for photo in photos)
        return HeadTexture(torch.full((model.size, 3), 0.5), torch.ones(1, 3))

    monkeypatch.setattr(heads, "texture_from_photos", textured)
    report = export(saved, "glb", tmp_path / "head.glb", pictures=place if given else None)
    assert report["notes"] == ["the head has the colours of the photo"]
    assert (seen[0] - known.photo.pixels).abs().max() < 0.01


def test_the_command_line_names_every_kind():
    assert tuple(EXPORTS) == KINDS


@pytest.mark.refusal
def test_what_cannot_be_written_or_read_is_refused(talk, tmp_path, capsys):
    with pytest.raises(ParameterError, match="to must be one of arkit-csv, .*, got 'fbx'"):
        export(talk, "fbx")
    with pytest.raises(ParameterError, match="look must be one of gaze, fitted, got 'lids'"):
        export(talk, "arkit-csv", look="lids")
    with pytest.raises(ParameterError, match=r"must be a recording of Live Link Face \(.csv\)"):
        import_curves("take.bvh")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError):
        export(talk, "glb", tmp_path / "head.glb", pictures=tmp_path / "text.mp4")
    (tmp_path / "c.json").write_text(json.dumps({}))
    assert run(["import", str(tmp_path / "c.json"), "--rate", "30"]) == 2
    assert "--rate and --degrees are for .csv" in capsys.readouterr().err
    assert not Path(tmp_path / "head.glb").exists()


def test_the_front_door_leads_here():
    assert morphface.export is export
