"""From files to a file: parameters, a picture, or a video."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from morphface.cli import run
from morphface.core.errors import MorphfaceError
from morphface.edit import edit, transfer
from morphface.edit.settings import Rule, find_settings
from morphface.geometry.camera import Camera
from morphface.models import save_model
from morphface.parameters import load_parameters, save_parameters
from morphface.parameters.track import Track, save_track
from morphface.pipelines import actors
from morphface.pipelines.transfer import transfer_files
from tests.edit.clips import clip, same


@pytest.fixture
def files(tmp_path):
    """Writes clips as `a.npz` (60 frames), `b.npz` (45), `photo.npz` (1), and a track."""
    camera = Camera.facing((120, 160), focal=250.0)
    for name, face in (("a", clip()), ("b", clip(45, seed=1)), ("photo", clip(1, seed=2))):
        save_parameters(tmp_path / f"{name}.npz", face, camera, model="open-head")
    save_track(tmp_path / "track.npz", track(clip(2)), model="open-head")
    return tmp_path


def track(face):
    frames = face.frames
    return Track(
        face,
        Camera.facing((120, 160)),
        torch.zeros(frames, dtype=torch.long),
        torch.arange(frames) / 12.5,
        torch.arange(frames),
        torch.zeros(frames),
        torch.zeros(frames, 4),
    )


@pytest.fixture
def photo(known, monkeypatch):
    """A photo whose face is known without a fit."""
    monkeypatch.setattr(actors, "fit_photo", lambda *_, **__: known)
    return "known.png"


def test_parameters_are_written_with_where_they_come_from(files):
    report = transfer_files(files / "a.npz", files / "b.npz", files / "out.npz", settings="reenact")
    moved, camera, header = load_parameters(files / "out.npz")
    same(moved, transfer(clip(), clip(45, seed=1)), atol=1e-6)
    assert camera.size == (120, 160)
    assert header["model"] == "open-head"
    known = header["extra"]["transfer"]
    assert known == json.loads(json.dumps(report))
    assert known["mode"] == "reenact"
    assert [known[side]["frames"] for side in ("source", "target")] == [60, 45]
    assert len(known["source"]["sha256"]) == 64


def test_a_track_and_a_folder_are_read_too(files):
    report = transfer_files(files, files / "photo.npz", files / "new" / "out.npz")
    assert report["source"]["kind"] == "track"
    assert load_parameters(files / "new" / "out.npz")[0].frames == 2


def test_a_camera_for_each_frame_becomes_one_where_frames_differ(files):
    many = Camera(torch.full((45,), 300.0), torch.full((45, 2), 60.0), (120, 120))
    save_parameters(files / "many.npz", clip(45), many, model="open-head")
    transfer_files(files / "a.npz", files / "many.npz", files / "out.npz")
    assert load_parameters(files / "out.npz")[1].focal.shape == ()


def test_a_photo_is_drawn_anew(files, photo, known):
    # The photo's own parameters give the photo back.
    face = known.faces[0]
    save_parameters(files / "own.npz", face.parameters, face.camera, model="open-head")
    transfer_files(files / "own.npz", photo, files / "out.png")
    drawn = np.asarray(Image.open(files / "out.png")) / 255
    assert np.abs(drawn - known.photo.pixels.numpy()).mean() < 0.003
    transfer_files(files / "photo.npz", photo, files / "other.png")
    other = np.asarray(Image.open(files / "other.png")) / 255
    assert np.abs(other - known.photo.pixels.numpy()).mean() > 0.005


def test_a_sequence_makes_a_video_of_a_photo(files, photo):
    from morphface.media.video import read_video

    report = transfer_files(files / "track.npz", photo, files / "out.mp4", settings="pose_only")
    assert report["frames"] == 2
    with read_video(files / "out.mp4") as video:
        assert video.size == (240, 320)
        assert len(list(video)) == 2
        assert video.rate == pytest.approx(12.5, rel=0.01)


def turned(known, yaw):
    """The parameters of a known head, turned."""
    face = known.faces[0]
    return edit(face.parameters, model=face.model, yaw=yaw), face.camera


def test_what_a_photo_shows_of_a_turned_head_is_in_the_report(files, photo, known):
    shown = {}
    for yaw in (15.0, -75.0):
        save_parameters(files / "turned.npz", *turned(known, yaw), model="open-head")
        report = transfer_files(
            files / "turned.npz", photo, files / "out.png", settings="pose_only"
        )
        shown[yaw] = report["shown"]
        said = [words for words in report["warnings"] if "was guessed" in words]
        assert len(said) == (report["shown"] < 0.5)
    assert shown[-75.0] < 0.5 < shown[15.0] <= 1
    assert "shown_by_source" in Image.open(files / "out.png").text["Description"]


def test_a_doubtful_fit_is_said_to_be_one(files, known, monkeypatch):
    face = replace(known.faces[0], fit=replace(known.faces[0].fit, converged=False, reason="dark"))
    monkeypatch.setattr(actors, "fit_photo", lambda *_, **__: replace(known, faces=(face,)))
    report = transfer_files("known.png", files / "b.npz", files / "out.npz")
    assert report["warnings"] == ["known.png may not be trusted: dark"]


def test_a_photo_is_fitted_with_the_model_of_the_other_file(files, known, toy, monkeypatch):
    asked = []
    monkeypatch.setattr(actors, "fit_photo", lambda *_, model, **__: asked.append(model) or known)
    transfer_files("known.png", files / "b.npz", files / "out.npz")
    transfer_files(files / "a.npz", "known.png", files / "out.npz")
    assert asked == ["open-head", "open-head"]


# --- refusals ------------------------------------------------------------------------------

REFUSED = [
    ("a.npz", "b.npz", "out.txt", "'out.txt' must end with one of .npz, .png"),
    ("a.npz", "b.npz", "out.png", "must then be a photo or the fit of one, but .*b.npz is not"),
    ("a.npz", "known.png", "out.png", "holds one picture, but .*a.npz has 60 frames"),
    ("photo.npz", "known.png", "out.mp4", "out.mp4 is a video, but .*photo.npz has 1 frame"),
    ("none.npz", "b.npz", "out.npz", "there is no file of parameters .*none.npz"),
    ("a.npz", "none.npz", "out.npz", "there is no file of parameters .*none.npz"),
    ("broken.npz", "b.npz", "out.npz", "broken.npz is not a file of parameters of morphface"),
]


@pytest.mark.refusal
@pytest.mark.parametrize(("source", "target", "out", "message"), REFUSED)
def test_what_cannot_be_written_or_read_is_refused(files, photo, source, target, out, message):
    (files / "broken.npz").write_bytes(b"PK nothing")
    before = sorted(files.iterdir())
    with pytest.raises(MorphfaceError, match=message):
        transfer_files(files / source, files / target, files / out)
    assert sorted(files.iterdir()) == before


@pytest.mark.refusal
def test_heads_are_not_turned_to_where_their_photo_shows_nothing_unless_forced(
    files, photo, known, capfd
):
    save_parameters(files / "turned.npz", *turned(known, 120.0), model="open-head")
    paths = str(files / "turned.npz"), photo, str(files / "out.png")
    settings = replace(find_settings("pose_only"), rotation=Rule("absolute"))
    with pytest.raises(MorphfaceError, match="degrees from its pose in the photo"):
        transfer_files(*paths, settings=settings)
    assert not (files / "out.png").exists()
    command = ["transfer", *paths[:2], "-o", paths[2], "--mode", "pose_only", "--pose", "absolute"]
    assert run(command) == 2
    assert "or any with force (--force)" in capfd.readouterr().err
    assert run([*command, "--force"]) == 0
    assert (files / "out.png").is_file()


@pytest.mark.refusal
def test_nothing_is_fitted_for_a_place_that_cannot_be_written_to(files, monkeypatch):
    monkeypatch.setattr(actors, "fit_photo", None)
    (files / "folder.npz").mkdir()
    with pytest.raises(OSError, match="folder.npz: it is a folder; name a file in it"):
        transfer_files("photo.png", files / "b.npz", files / "folder.npz")
    with pytest.raises(OSError, match="it is a file, not a folder"):
        transfer_files("photo.png", files / "b.npz", files / "a.npz" / "out.npz")


@pytest.mark.refusal
def test_an_unknown_mode_is_refused_before_anything_is_read():
    with pytest.raises(
        MorphfaceError, match="no mode of transfer is called 'Dub': did you mean dub"
    ):
        transfer_files("none.npz", "none.npz", "out.npz", settings="Dub")


@pytest.mark.refusal
def test_parameters_of_a_model_that_is_not_here_say_how_to_name_it(files, toy):
    face = clip(1)
    small = replace(face, identity=torch.zeros(1, 6), expression=torch.zeros(1, 4))
    save_parameters(files / "toy.npz", small, Camera.facing((64, 64)), model="toy")
    with pytest.raises(MorphfaceError, match="toy.npz belongs to model 'toy', .* as --model"):
        transfer_files(files / "toy.npz", files / "toy.npz", files / "out.npz")
    save_model(toy, files / "toy.safetensors")
    model = str(files / "toy.safetensors")
    report = transfer_files(files / "toy.npz", files / "toy.npz", files / "out.npz", model=model)
    assert report["target"]["model"] == "toy"


# --- the command ---------------------------------------------------------------------------


def test_the_command_changes_a_mode_as_it_is_told(files, capfd):
    options = ["--mode", "pose_only", "--pose", "relative", "--smooth", "5", "--clamp", "2"]
    paths = [str(files / name) for name in ("a.npz", "b.npz", "out.npz")]
    longer = [str(files / "a.npz"), paths[0], "-o", paths[2], *options]
    assert run(["transfer", *longer]) == 0
    assert "60 frames written to" in capfd.readouterr().err
    known = load_parameters(paths[2])[2]["extra"]["transfer"]
    assert known["mode"] == "custom"
    assert known["settings"]["rotation"] == {"how": "relative", "clamp": 2.0, "smooth": 5}
    assert known["settings"]["expression"]["how"] == "keep"
    assert run(["transfer", paths[0], paths[1], "-o", paths[2], "--quiet"]) == 0
    assert capfd.readouterr().err == ""


@pytest.mark.refusal
def test_the_command_refuses_in_one_line(files, capfd):
    paths = [str(files / name) for name in ("a.npz", "b.npz", "out.npz")]
    assert run(["transfer", paths[0], paths[1], "-o", paths[2], "--smooth", "4"]) == 2
    assert capfd.readouterr().err == (
        "error: smooth must be an odd number of frames from 1 up, got 4\n"
    )
