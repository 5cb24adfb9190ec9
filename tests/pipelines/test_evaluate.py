"""Comparing files: clips are written here, faces and landmarks are known without a detector."""

import importlib
import json
import math
from dataclasses import replace

import pytest
import torch

from morphface.cli import run
from morphface.core.errors import (
    ImageError,
    MissingFileError,
    NoFaceError,
    OutputError,
    ParameterError,
)
from morphface.evaluate import Lpips
from morphface.generate.networks.backbones import Backbone
from morphface.geometry.camera import Camera
from morphface.landmarks import Landmarks
from morphface.media.images import write_image
from morphface.media.video import VideoWriter
from morphface.models import load_model
from morphface.parameters import LOST, FaceParameters, Track, save_parameters, save_track
from morphface.pipelines.evaluate import Wishes, evaluate_files
from morphface.pipelines.evaluate.faces import Faces

RUN = importlib.import_module("morphface.pipelines.evaluate.run")
SIZE = (48, 64)


class Square:
    """Finds four corners about the middle of a picture, shifted by its mean; none in black."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def detect(self, photo):
        mean = float(photo.pixels.mean())
        if mean == 0:
            return []
        points = torch.rand(478, 2, generator=torch.Generator().manual_seed(1)) * 32 + 16 * mean
        return [Landmarks(points, "478", torch.ones(478), (0.0, 0.0, 9.0, 9.0))]


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """Neither weights nor a true detector."""
    monkeypatch.setattr(RUN, "MediaPipeDetector", Square)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


@pytest.fixture
def frames(rng):
    return (torch.rand(5, *SIZE, 3, generator=rng) * 100 + 60).round() / 255


def folder(path, frames):
    path.mkdir()
    for number, frame in enumerate(frames):
        write_image(path / f"frame_{number + 8}.png", frame)
    return path


def video(path, frames, rate=25.0):
    with VideoWriter(path, tuple(frames.shape[1:3]), rate, lossless=True) as writer:
        for frame in frames:
            writer.write((frame * 255).round().to(torch.uint8))
    return path


def talking(frames=5):
    face = FaceParameters.neutral(frames=frames)
    return replace(face, illumination=face.illumination + 0.1)


def known(monkeypatch, *, lost=()):
    """Replaces the tracker by one that knows."""
    found = torch.tensor([k not in lost for k in range(5)])
    camera = Camera.facing(SIZE, focal=140.0)

    def find(clip, model, tell):
        return Faces(clip.path, talking(), camera, load_model(), found)

    monkeypatch.setattr(RUN, "find_faces", find)


def values(evaluation):
    return {score.measure.name: score.mean for score in evaluation.scores}


def test_a_clip_is_equal_to_itself(frames, tmp_path):
    place = video(tmp_path / "a.mp4", frames)
    found = evaluate_files(place, place)
    measured = values(found)
    learnt = {name: measured.pop(name, 0) for name in ("Lite0-distance", "Frechet-Lite0")}
    assert list(learnt.values()) == pytest.approx([0, 0], abs=1e-9)
    assert measured == {
        "L1": 0,
        "PSNR": math.inf,
        "SSIM": pytest.approx(1),
        "APD-pixel": 0,
        "AKD": 0,
        "jitter": pytest.approx(0, abs=0.1),
        "jitter, reference": pytest.approx(0, abs=0.1),
    }
    assert any(note.startswith("LPIPS is left out: the weights alexnet") for note in found.notes)


def test_an_even_shift_has_closed_forms_in_a_folder_as_in_pictures(frames, tmp_path):
    bright = folder(tmp_path / "bright", frames + 20 / 255)
    plain = folder(tmp_path / "plain", frames)
    found = values(evaluate_files(bright, plain))
    assert found["L1"] == pytest.approx(20, rel=1e-4)
    assert found["APD-pixel"] == pytest.approx(20 * math.sqrt(3), rel=1e-4)
    assert found["PSNR"] == pytest.approx(20 * math.log10(255 / 20), rel=1e-4)
    shift = 16 * 20 / 255 * math.sqrt(2)
    assert found["AKD"] == pytest.approx(shift * 256 / 64, rel=1e-3)
    one = evaluate_files(bright / "frame_9.png", plain / "frame_9.png")
    assert values(one)["L1"] == pytest.approx(20, rel=1e-4)


def test_missing_faces_are_counted(frames, tmp_path):
    plain = folder(tmp_path / "plain", frames)
    black = frames.clone()
    black[2] = 0
    found = {s.measure.name: s for s in evaluate_files(folder(tmp_path / "b", black), plain).scores}
    assert found["AKD"].missing == 1
    assert found["jitter"].missing == 3
    assert found["jitter, reference"].missing == 0


def test_tracked_faces_add_parameters_and_the_warping_error(frames, tmp_path, monkeypatch):
    known(monkeypatch, lost=(1,))
    place = folder(tmp_path / "still", frames[:1].expand(5, -1, -1, -1))
    found = {s.measure.name: s for s in evaluate_files(place, place, wishes=Wishes(True)).scores}
    for name in ("AED-expression", "APD-pose", "ARD", "geodesic", "gaze"):
        assert (found[name].missing, round(found[name].mean, 3)) == (1, 0), name
    assert found["DAI"].mean == 0
    assert found["jitter of expression"].missing == 2
    assert found["warping error"].missing == 2
    assert found["warping error"].mean == pytest.approx(0, abs=1e-3)


def test_with_a_mask_only_the_face_counts(frames, tmp_path, monkeypatch):
    known(monkeypatch, lost=(4,))
    spoiled = frames.clone()
    spoiled[:, :6, :6] = 0  # a corner that the face does not reach
    one, other = folder(tmp_path / "a", spoiled), folder(tmp_path / "b", frames)
    found = evaluate_files(one, other, wishes=Wishes(mask="face")).scores
    assert (found[0].mean, found[0].missing) == (0, 1)
    assert "pixels of the reference's face" in found[0].measure.convention
    assert evaluate_files(one, other).scores[0].mean > 0


def test_parameters_are_compared_with_parameters(tmp_path):
    camera = Camera.facing(SIZE)
    face = talking()
    louder = replace(face, expression=face.expression + 0.5)
    states = torch.tensor([0, 0, LOST, 0, 0])
    nothing = torch.full((5,), math.nan)
    track = Track(
        louder,
        camera,
        states,
        torch.arange(5.0).double(),
        torch.arange(5),
        nothing,
        torch.full((5, 4), math.nan),
    )
    save_track(tmp_path / "track.npz", track, model="open-head")
    save_parameters(tmp_path / "face.npz", face, camera, model="open-head")
    found = evaluate_files(tmp_path, tmp_path / "face.npz")
    assert found.result.endswith("track.npz")
    assert values(found)["AED-expression"] == pytest.approx(0.5)
    assert found.scores[0].missing == 1


def test_the_shorter_one_can_set_the_length(frames, tmp_path):
    one, other = folder(tmp_path / "a", frames[:3]), folder(tmp_path / "b", frames)
    found = evaluate_files(one, other, wishes=Wishes(shorter=True))
    assert len(found.scores[0].values) == 3
    assert found.scores[0].mean == 0


def test_larger_pictures_can_be_scaled(tmp_path):
    grey = torch.full((2, *SIZE, 3), 0.4)
    large = torch.full((2, 96, 128, 3), 0.4)
    one, other = folder(tmp_path / "a", grey), folder(tmp_path / "b", large)
    found = evaluate_files(one, other, wishes=Wishes(resize=True))
    assert found.scores[0].mean == pytest.approx(0, abs=1e-4)
    assert "compared at 64 x 48 pixels" in found.notes[0]


def test_pictures_of_another_size_leave_the_faces_to_compare(frames, tmp_path, monkeypatch):
    known(monkeypatch)
    one, other = folder(tmp_path / "a", frames), folder(tmp_path / "b", frames[:, :40])
    found = evaluate_files(one, other, wishes=Wishes(track=True))
    assert "L1" not in values(found)
    assert values(found)["ARD"] == 0
    assert "were not compared, they differ in size" in found.notes[0]


def test_lpips_joins_where_its_weights_are(frames, tmp_path, monkeypatch):
    backbone = Backbone("alexnet")
    made = Lpips(backbone, [torch.ones(width) for width in backbone.widths])
    monkeypatch.setattr(Lpips, "load", lambda **_: made)
    place = folder(tmp_path / "a", frames[:2])
    assert values(evaluate_files(place, place))["LPIPS"] == 0


def test_rates_that_differ_are_said(frames, tmp_path):
    one, other = video(tmp_path / "a.mp4", frames), video(tmp_path / "b.mp4", frames, 30.0)
    assert any("25 a second and 30" in note for note in evaluate_files(one, other).notes)


def test_the_command_prints_a_table_and_writes_json(frames, tmp_path, capsys):
    place = folder(tmp_path / "a", frames)
    assert run(["evaluate", str(place), str(place), "--json", str(tmp_path / "out.json")]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].startswith("L1\t0\tof 255\tlower is better\t-\tmean absolute")
    assert "5 of 5 equal" in out
    assert "LPIPS is left out" in err
    held = json.loads((tmp_path / "out.json").read_text())
    psnr = next(score for score in held["scores"] if score["name"] == "PSNR")
    assert (psnr["value"], psnr["equal"], psnr["values"]) == (None, 5, [None] * 5)


def test_a_quiet_command_only_writes(frames, tmp_path, capsys):
    place = folder(tmp_path / "a", frames)
    assert run(["evaluate", str(place), str(place), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.refusal
def test_lengths_that_differ_are_refused(frames, tmp_path):
    one, other = folder(tmp_path / "a", frames[:3]), folder(tmp_path / "b", frames)
    with pytest.raises(ParameterError, match=r"has 3 frames, .*b 5; give --shorter"):
        evaluate_files(one, other)
    with pytest.raises(ParameterError, match=r"frame_8.png has 1 frame, .*b 5; give --shorter"):
        evaluate_files(one / "frame_8.png", other)
    short, long = video(tmp_path / "a.mp4", frames[:4]), video(tmp_path / "b.mp4", frames)
    with pytest.raises(ParameterError, match=r"a.mp4 ends after 4 frames, .*b.mp4 goes on"):
        evaluate_files(short, long)


@pytest.mark.refusal
def test_sizes_that_differ_are_refused(frames, tmp_path):
    one, other = folder(tmp_path / "a", frames), folder(tmp_path / "b", frames[:, :40])
    with pytest.raises(ParameterError, match=r"a 64 x 48 and .*b 64 x 40 pixels; crop them alike"):
        evaluate_files(one, other)
    large = folder(tmp_path / "c", torch.zeros(5, 96, 128, 3))
    with pytest.raises(ParameterError, match="give --resize"):
        evaluate_files(one, large)
    write_image(one / "frame_99.png", frames[0, :40])
    with pytest.raises(ImageError, match="64 x 40 pixels, the first picture of its folder"):
        evaluate_files(one, one)


@pytest.mark.refusal
def test_what_cannot_be_compared_is_refused(frames, tmp_path):
    place = folder(tmp_path / "a", frames)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="holds no pictures; name a folder of frames"):
        evaluate_files(tmp_path / "empty", place)
    with pytest.raises(MissingFileError, match="there is no file"):
        evaluate_files(tmp_path / "no.png", place)
    with pytest.raises(MissingFileError, match="there is no file of weights"):
        evaluate_files(place, place, wishes=Wishes(lpips_weights=tmp_path / "no.pth"))
    with pytest.raises(ParameterError, match="mask must be one of face, got 'mouth'"):
        Wishes(mask="mouth")
    camera = Camera.facing(SIZE)
    save_parameters(tmp_path / "face.npz", talking(), camera, model="open-head")
    with pytest.raises(ParameterError, match="mask needs pictures on both sides"):
        evaluate_files(tmp_path / "face.npz", place, wishes=Wishes(mask="face"))
    with pytest.raises(OutputError, match="cannot write to"):
        evaluate_files(place, place).write(tmp_path)


@pytest.mark.refusal
def test_a_mask_without_any_face_is_refused(frames, tmp_path, monkeypatch):
    known(monkeypatch, lost=range(5))
    place = folder(tmp_path / "a", frames)
    with pytest.raises(NoFaceError, match="no frame of the reference shows a face to mask"):
        evaluate_files(place, place, wishes=Wishes(mask="face"))


@pytest.mark.refusal
def test_a_side_without_faces_has_no_measures_of_parameters(frames, tmp_path, monkeypatch):
    def none(clip, *_):
        raise NoFaceError("no face was found in 5 frames")

    monkeypatch.setattr(RUN, "find_faces", none)
    place = folder(tmp_path / "a", frames)
    found = evaluate_files(place, place, wishes=Wishes(track=True))
    assert "ARD" not in values(found)
    assert [note.endswith("a: no face was found in 5 frames") for note in found.notes].count(
        True
    ) == 1
    with pytest.raises(NoFaceError, match="shows no face to mask"):
        evaluate_files(place, place, wishes=Wishes(track=True, mask="face"))
