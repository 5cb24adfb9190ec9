import json
import os
import signal

import pytest
import torch
from PIL import Image

from morphface.core.errors import (
    MissingFileError,
    NoFaceError,
    OutputError,
    ParameterError,
    StoppedError,
    VerdictError,
    VideoError,
)
from morphface.fit.verdict import PersonMeasures, person_quality
from morphface.media.video import read_video
from morphface.parameters import LOST, PREDICTED, TRACKED, Reason, load_track
from morphface.pipelines import track_video
from morphface.pipelines.tracking import run as tracking
from tests.disk import small_disk
from tests.media.video.clips import sound_packets
from tests.pipelines.tracking.tracked import SIZE, clip, tracker


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def known(monkeypatch):
    """Replaces the tracker by one that knows."""
    return lambda **of: monkeypatch.setattr(tracking, "fit_video", tracker(**of))


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_track_a_report_and_an_overlay_with_sound_are_written(video, tmp_path, known):
    states = [LOST] * 2 + [TRACKED] * 9 + [PREDICTED]
    known(states=states)
    done = []
    report = track_video(video, tmp_path / "out", advance=lambda *of: done.append(of))
    assert names(tmp_path / "out") == ["overlay.mp4", "report.json", "track.npz"]
    assert report == json.loads((tmp_path / "out" / "report.json").read_text())
    track, header = load_track(tmp_path / "out" / "track.npz")
    assert track.states.tolist() == states
    assert track.indices.tolist() == list(range(12))
    torch.testing.assert_close(track.times, torch.arange(12).double() * 0.04)
    assert header["model"] == "open-head"
    counts = [report[f"frames{kind}"] for kind in ("", "_tracked", "_predicted", "_lost")]
    assert counts == [12, 9, 1, 2]
    assert report["landmark_error"] == pytest.approx(0.02)
    assert report["box_drift"] == pytest.approx(9 / 112, abs=1e-4)
    assert (report["truncated"], report["interrupted"], report["warnings"]) == (False, False, [])
    assert done == [(k, 12) for k in range(1, 13)]
    with read_video(tmp_path / "out" / "overlay.mp4") as overlay:
        assert overlay.size == (SIZE[0], 2 * SIZE[1])
        times = [frame.time for frame in overlay]
    assert times == pytest.approx(track.times.tolist(), abs=1e-3)
    before, after = sound_packets(video), sound_packets(tmp_path / "out" / "overlay.mp4")
    assert [data for _, data in after] == [data for _, data in before[: len(after)]] != []


def test_what_frames_are_warned_of_is_reported_and_kept(video, tmp_path, known):
    known(states=[LOST] * 2 + [TRACKED] * 10)
    person = track_video(video, tmp_path, overlay=False)["people"][0]
    track, _ = load_track(tmp_path / "track.npz")
    assert bool(track.warnings["small"][:2].isnan().all())
    words = "in 10 frames the face is small, 50 pixels, at worst"
    assert person["warnings"] == [{"name": "small", "frames": 10, "worst": 50.0, "words": words}]
    assert track.warnings["small"][2:].tolist() == [50.0] * 9 + [51.0]


def test_the_quality_of_a_person_is_reported_and_kept(video, tmp_path, known):
    known(states=[LOST] * 2 + [TRACKED] * 10, rmse=0.05)
    person = track_video(video, tmp_path, overlay=False)["people"][0]
    track, _ = load_track(tmp_path / "track.npz")
    around = (2 / 12) * 10 / 10  # 12 frames are all within half a second
    wanted = person_quality(PersonMeasures(usual=0.01, blind=0.0, lost=around))
    assert track.quality == pytest.approx(wanted, abs=1e-6)
    assert person["quality"] == pytest.approx(wanted, abs=1e-4)


def test_of_a_track_by_landmarks_no_quality_is_known(video, tmp_path, known):
    known(rmse=0.0)
    assert track_video(video, tmp_path, overlay=False)["people"][0]["quality"] is None
    assert load_track(tmp_path / "track.npz")[0].quality is None


def test_frames_without_the_refused_warnings_stay(video, tmp_path, known):
    known()
    report = track_video(video, tmp_path, overlay=False, strict=("turned", "cut"))
    assert (report["frames_lost"], report["settings"]["strict"]) == (0, ["turned", "cut"])


@pytest.mark.refusal
def test_a_video_of_which_every_frame_is_refused_is_refused(video, tmp_path, known):
    known()
    with pytest.raises(VerdictError, match="every frame is refused, as --strict asks: .* small"):
        track_video(video, tmp_path / "out", strict=("small",))
    with pytest.raises(ParameterError, match="'dark' is measured in photos"):
        track_video(video, tmp_path / "out", strict=("dark",))
    assert not (tmp_path / "out").exists()


def test_several_people_have_a_folder_each(video, tmp_path, known):
    known(people=2)
    report = track_video(video, tmp_path, people=2, overlay=False)
    assert names(tmp_path) == ["person_0/track.npz", "person_1/track.npz", "report.json"]
    assert [person["folder"] for person in report["people"]] == ["person_0", "person_1"]
    tracks = [load_track(tmp_path / f"person_{k}" / "track.npz")[0] for k in (0, 1)]
    shift = tracks[1].parameters.translation - tracks[0].parameters.translation
    torch.testing.assert_close(shift, torch.tensor([[60.0, 0.0, 0.0]]).expand(12, 3))


def test_a_part_is_tracked_with_the_times_of_the_whole(video, tmp_path, known):
    known()
    report = track_video(video, tmp_path, start=0.1, end=0.45, every=3)
    track, _ = load_track(tmp_path / "track.npz")
    assert track.indices.tolist() == [3, 6, 9]
    assert report["settings"]["every"] == 3
    with read_video(tmp_path / "overlay.mp4") as overlay:
        assert [round(frame.time, 3) for frame in overlay] == [0.0, 0.12, 0.24]


def test_a_smoothed_track_is_written_and_drawn_as_such(video, tmp_path, known):
    known(shake=0.02)
    tracks = {}
    for name in ("raw", "smooth"):
        report = track_video(video, tmp_path / name, smooth=name == "smooth")
        tracks[name] = load_track(tmp_path / name / "track.npz")[0].parameters.rotation[:, 1]
        with read_video(tmp_path / name / "overlay.mp4") as overlay:
            assert len(list(overlay)) == 12
        assert report["settings"]["smooth"] == (name == "smooth")
    roughness = {name: yaw.diff().diff().abs().mean() for name, yaw in tracks.items()}
    assert roughness["smooth"] < 0.7 * roughness["raw"]


def test_an_interruption_keeps_what_was_tracked_until_then(video, tmp_path, known):
    known(each=lambda done: done == 5 and signal.raise_signal(signal.SIGINT))
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(StoppedError, match="interrupted after 6 frames; what was tracked until"):
        track_video(video, tmp_path / "out")
    assert signal.getsignal(signal.SIGINT) is handler
    assert names(tmp_path / "out") == ["overlay.mp4", "report.json", "track.npz"]
    assert load_track(tmp_path / "out" / "track.npz")[0].frames == 6
    assert json.loads((tmp_path / "out" / "report.json").read_text())["interrupted"]
    with read_video(tmp_path / "out" / "overlay.mp4") as overlay:
        assert len(list(overlay)) == 6


@pytest.mark.parametrize("times", [(0,), (3, 3)])
def test_an_early_or_second_interruption_ends_at_once(video, tmp_path, known, times):
    def interrupt(done):
        for _ in range(times.count(done)):
            signal.raise_signal(signal.SIGINT)

    known(each=interrupt)
    with pytest.raises(KeyboardInterrupt):
        track_video(video, tmp_path / "out")
    assert names(tmp_path) == []


def test_a_cut_off_video_is_tracked_as_far_as_it_goes_and_said(tmp_path, known):
    path = clip(tmp_path, name="cut.mp4", muxer={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    known()
    report = track_video(path, tmp_path / "out")
    assert 3 < report["frames"] < 12
    assert report["truncated"]
    assert "cut off or damaged" in report["warnings"][0]


@pytest.mark.refusal
def test_a_full_disk_ends_the_run_and_leaves_nothing(video, tmp_path, known):
    known()
    refused = pytest.raises(OutputError, match=r"cannot write to .*out/overlay.mp4: .* too large")
    with small_disk(2000), refused:
        track_video(video, tmp_path / "out")
    assert os.listdir(tmp_path) == []


@pytest.mark.refusal
def test_a_video_without_a_face_is_refused_and_leaves_nothing(video, tmp_path, known):
    known(people=0)
    with pytest.raises(NoFaceError, match="no face was found in 12 frames"):
        track_video(video, tmp_path / "out")
    assert os.listdir(tmp_path) == []


@pytest.mark.refusal
def test_a_clip_in_which_everybody_is_lost_is_refused_with_the_reason(video, tmp_path, known):
    known(states=[LOST] * 12)
    with pytest.raises(NoFaceError, match=r"nobody could be tracked in 12 frames.*no face was"):
        track_video(video, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_who_is_lost_in_half_of_the_frames_is_warned_of(video, tmp_path, known):
    known(states=[TRACKED] * 5 + [LOST] * 7)
    report = track_video(video, tmp_path, overlay=False)
    assert report["warnings"] == ["person 0 is lost in 58% of the frames: no face was found there"]
    assert report["people"][0]["lost_because"] == {"no face was found there": 7}
    track, _ = load_track(tmp_path / "track.npz")
    assert track.reasons.tolist() == [Reason.NOTHING] * 5 + [Reason.NO_FACE] * 7


@pytest.mark.refusal
def test_wrong_wishes_are_refused_before_anything_is_written(video, tmp_path, known):
    known()
    Image.new("RGB", (64, 64)).save(tmp_path / "photo.jpg")
    (tmp_path / "file").touch()
    before = names(tmp_path)
    out = tmp_path / "out"
    with pytest.raises(VideoError, match="is a folder; name a video in it"):
        track_video(tmp_path, out)
    with pytest.raises(VideoError, match="is a picture, not a video; .*morphface fit"):
        track_video(tmp_path / "photo.jpg", out)
    with pytest.raises(MissingFileError, match="there is no file"):
        track_video(tmp_path / "nothing.mp4", out)
    with pytest.raises(OutputError, match="file: it is a file, not a folder"):
        track_video(video, tmp_path / "file")
    with pytest.raises(ParameterError, match="start is 99 s, but .* is only 0.48 s long"):
        track_video(video, out, start=99.0)
    with pytest.raises(ParameterError, match="every must be at least 1, got 0"):
        track_video(video, out, every=0)
    with pytest.raises(ParameterError, match="people must be from 1 to 64, got 0"):
        track_video(video, out, people=0)
    with pytest.raises(ParameterError, match="stage must be one of linear, pixels, got 'fast'"):
        track_video(video, out, stage="fast")
    with pytest.raises(VideoError, match="webcam 97 cannot be opened; plug one in"):
        track_video(97, out)
    with pytest.raises(ParameterError, match="focal must be 0.2 to 50 times"):
        track_video(video, out, focal=-1.0)
    with pytest.raises(ParameterError, match="or .*mm to .*mm, got '9999mm'"):
        track_video(video, out, focal="9999mm")
    assert names(tmp_path) == before
