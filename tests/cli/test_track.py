import json
import math
import os
import signal
import subprocess
import sys

import pytest

from morphface.cli import run
from morphface.parameters import load_track
from morphface.pipelines.tracking import run as tracking
from tests.data import needs_detector, shared
from tests.pipelines.tracking.tracked import SIZE, clip, tracker

FIFTY = 50 * math.hypot(*SIZE) / math.hypot(36, 24)


@pytest.fixture
def known(monkeypatch):
    return lambda **of: monkeypatch.setattr(tracking, "fit_video", tracker(**of))


@pytest.fixture
def video(tmp_path):
    return clip(tmp_path)


def test_track_writes_three_files_and_says_what_it_saw(video, tmp_path, known, capfd):
    known()
    assert run(["track", str(video), "-o", str(tmp_path / "out")]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "12 frames at " in err
    assert "12 tracked, 0 predicted, 0 lost" in err
    words = err.replace("\n", " ")
    assert "person 0: landmark error 2.0 % of the eye distance" in words
    assert "person 0: in 12 frames the face is small, 50 pixels, at worst" in words
    assert f"written to {tmp_path / 'out'}/" in err.replace("\n", "")
    assert sorted(os.listdir(tmp_path / "out")) == ["overlay.mp4", "report.json", "track.npz"]


def test_track_says_how_many_frames_of_a_person_are_right(video, tmp_path, known, capfd):
    known(rmse=0.05)
    assert run(["track", str(video), "-o", str(tmp_path / "out"), "--no-overlay"]) == 0
    words = capfd.readouterr().err.replace("\n", " ")
    quality = json.loads((tmp_path / "out" / "report.json").read_text())["people"][0]["quality"]
    assert f"seen in 12 frames, of which about {quality:.0%} are right" in words


@pytest.mark.parametrize(("focal", "pixels"), [("300", 300), ("50mm", FIFTY)])
def test_options_reach_the_tracker(video, tmp_path, known, capfd, focal, pixels):
    known(people=2)
    options = ["--start", "0.1", "--end", "0.4", "--every", "2", "--people", "2", "--no-overlay"]
    wishes = ["--stage", "linear", "--focal", focal, "--quiet"]
    assert run(["track", str(video), "-o", str(tmp_path / "out"), *options, *wishes]) == 0
    assert capfd.readouterr() == ("", "")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["frames"] == 4
    for name, value in {"start": 0.1, "every": 2, "stage": "linear", "focal": pixels}.items():
        assert report["settings"][name] == pytest.approx(value)
    assert not (tmp_path / "out" / "overlay.mp4").exists()


def test_the_folder_is_named_after_the_video(video, tmp_path, known, monkeypatch):
    known()
    monkeypatch.chdir(tmp_path)
    assert run(["track", str(video), "--quiet"]) == 0
    assert (tmp_path / "clip-track" / "track.npz").exists()


@pytest.mark.refusal
def test_an_interruption_says_what_is_kept_and_exits_with_130(video, tmp_path, known, capfd):
    known(each=lambda done: done == 5 and signal.raise_signal(signal.SIGINT))
    assert run(["track", str(video), "-o", str(tmp_path / "out")]) == 130
    words = capfd.readouterr().err.replace("\n", "")
    assert "interrupted after 6 frames; what was tracked until then is in" in words
    assert load_track(tmp_path / "out" / "track.npz")[0].frames == 6


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.mp4"], "there is no file nothing.mp4; check the path"),
        (["."], ". is a folder; name a video in it"),
        (["97"], "webcam 97 cannot be opened; plug one in, close other programs that use it, or"),
        (["VIDEO", "--every", "0"], "every must be at least 1, got 0"),
        (["VIDEO", "--start", "9"], "start is 9 s, but"),
        (["VIDEO", "--end", "0"], "end must be later than start, got start 0 and end 0"),
        (["VIDEO", "--strict", "dim"], "there is no warning 'dim'"),
        (["VIDEO", "--strict", "small"], "every frame is refused, as --strict asks"),
        (["VIDEO", "--people", "0"], "people must be from 1 to 64, got 0"),
        (["VIDEO", "-o", "VIDEO"], "it is a file, not a folder"),
        (["VIDEO", "-o", "/proc/morphface"], "cannot write to /proc/morphface"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(video, known, capfd, arguments, words):
    known()
    arguments = [str(video) if item == "VIDEO" else item for item in arguments]
    if "-o" not in arguments:
        arguments += ["-o", str(video.parent / "out")]
    assert run(["track", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert words in err.replace("\n", " ")
    assert "Traceback" not in err
    assert not (video.parent / "out").exists()


@pytest.mark.slow
def test_a_real_face_is_tracked_in_every_frame(tmp_path):
    needs_detector()
    path = shared("clips", "webcam_head_turns.mp4")
    out = tmp_path / "out"
    arguments = ["track", str(path), "-o", str(out), "--end", "1", "--stage", "linear"]
    assert run([*arguments, "--quiet", "--debug"]) == 0
    report = json.loads((out / "report.json").read_text())
    assert (report["frames"], report["frames_lost"]) == (25, 0)
    assert report["landmark_error"] < 0.03


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="interrupts differ there")
def test_control_c_in_a_shell_keeps_what_was_tracked(tmp_path):
    needs_detector()
    path = shared("clips", "webcam_head_turns.mp4")
    command = [sys.executable, "-m", "morphface", "track", str(path), "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        [*command, "--stage", "linear"], stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        try:
            child.wait(timeout=12)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)
        err = child.communicate(timeout=60)[1]
    assert child.returncode == 130, err
    assert "Traceback" not in err
    if "nothing was written" not in err:  # the machine was too busy to track a frame by then
        assert "what was tracked until then is in" in err.replace("\n", " ")
        assert load_track(tmp_path / "out" / "track.npz")[0].frames < 765
