import sys
from types import SimpleNamespace

import pytest
import torch

from morphface.pipelines import track_video
from morphface.pipelines.tracking import run as tracking
from morphface.pipelines.tracking import track
from morphface.pipelines.tracking.live import Screen
from tests.media.video.clips import write_clip
from tests.pipelines.tracking.tracked import clip, tracker

RED = torch.tensor([255, 0, 0], dtype=torch.uint8).expand(4, 6, 3)


@pytest.fixture
def windows(monkeypatch):
    """An OpenCV that notes what it shows, and the key that is pressed."""
    seen = SimpleNamespace(pictures=[], key=-1, visible=1.0, closed=False, error=RuntimeError)
    seen.imshow = lambda title, picture: seen.pictures.append(picture)
    seen.waitKey = lambda _: seen.key
    seen.getWindowProperty = lambda *_: seen.visible
    seen.destroyAllWindows = lambda: setattr(seen, "closed", True)
    seen.WND_PROP_VISIBLE = 4
    monkeypatch.setitem(sys.modules, "cv2", seen)
    monkeypatch.setenv("DISPLAY", ":0")
    return seen


def test_pictures_are_shown_in_the_order_of_colours_that_opencv_wants(windows):
    with Screen() as screen:
        assert screen.reason == ""
        assert screen.show(RED)
    assert windows.pictures[0][0, 0].tolist() == [0, 0, 255]
    assert windows.closed


@pytest.mark.parametrize("how", ["q", "escape", "closed"])
def test_a_key_or_a_closed_window_ends_it(windows, how):
    with Screen() as screen:
        assert screen.show(RED)
        windows.key = {"q": ord("q"), "escape": 27, "closed": -1}[how]
        windows.visible = 0.0 if how == "closed" else 1.0
        assert not screen.show(RED)


def test_without_a_display_nothing_is_shown_and_it_says_why(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with Screen() as screen:
        assert screen.reason == "there is no display"
        assert screen.show(RED)


def test_opencv_without_windows_is_no_obstacle(windows):
    def refuse(*_):
        raise windows.error("not implemented")

    windows.imshow = refuse
    with Screen() as screen:
        assert screen.show(RED)
        assert "no windows" in screen.reason


@pytest.fixture
def camera(tmp_path, monkeypatch):
    """A clip that passes for a webcam."""
    import av

    from morphface.media.video import webcam

    path = clip(tmp_path)
    monkeypatch.setattr(webcam, "_opened", lambda number: av.open(str(path)))
    monkeypatch.setattr(tracking, "fit_video", tracker())


def test_a_webcam_is_tracked_shown_and_written(camera, windows, tmp_path):
    report = track_video(0, tmp_path / "out")
    assert len(windows.pictures) == report["frames"] > 0
    assert windows.pictures[0].shape == (96, 256, 3)
    assert report["video"] == "0"
    assert (tmp_path / "out" / "overlay.mp4").exists()
    assert (tmp_path / "out" / "track.npz").exists()


def test_q_ends_a_webcam_and_what_was_tracked_is_written(camera, windows, tmp_path):
    windows.key = ord("q")
    report = track_video("0", tmp_path / "out")
    assert report["frames"] == 1
    assert not report["interrupted"]


def test_a_webcam_without_a_display_is_tracked_and_said(camera, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "morphface.pipelines.tracking.live._obstacle", lambda: "there is no display"
    )
    report = track_video(0, tmp_path / "out")
    assert report["warnings"] == ["there is no display, so the webcam was not shown"]


def test_a_file_whose_name_is_a_number_is_that_file(tmp_path, monkeypatch):
    from tests.media.video.clips import pictures

    write_clip(tmp_path / "7.mp4", pictures(3)).rename(tmp_path / "7")
    monkeypatch.chdir(tmp_path)
    with track._opened("7", None, start=0.0, end=None, every=1) as source:
        assert source.frames == 3
