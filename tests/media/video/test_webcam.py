import time
from types import SimpleNamespace

import av
import numpy as np
import pytest

from morphface.core.errors import VideoError
from morphface.media.video import webcam
from morphface.media.video.webcam import Webcam
from tests.media.video.clips import SIZE, pictures, write_clip


@pytest.fixture
def plugged(tmp_path, monkeypatch):
    """A webcam that shows a clip, 200 frames a second, and is then pulled out."""
    frames = pictures(30)
    path = write_clip(tmp_path / "a.mkv", frames)

    class Slow:
        def __init__(self):
            self.inner = av.open(str(path))
            self.streams = self.inner.streams

        def decode(self, video):
            for frame in self.inner.decode(video=video):
                time.sleep(0.005)
                yield frame

        def close(self):
            self.inner.close()

    monkeypatch.setattr(webcam, "_opened", lambda number: Slow())
    return frames


def test_the_newest_frame_is_given_and_those_missed_are_dropped(plugged):
    with Webcam(0) as camera:
        assert camera.size == SIZE
        found = []
        for frame in camera:
            time.sleep(0.02)
            found.append(frame)
    assert 2 <= len(found) < 25
    assert [frame.index for frame in found] == list(range(len(found)))
    assert all(np.diff([frame.time for frame in found]) > 0)
    contents = [pixels.tobytes() for pixels in plugged]
    shown = [contents.index(frame.photo.to_uint8().numpy().tobytes()) for frame in found]
    assert shown == sorted(set(shown))
    assert found[0].photo.source == "webcam 0"


def test_the_last_frame_is_given_to_who_asks_after_the_end(plugged):
    with Webcam(0) as camera:
        camera._thread.join()
        (last,) = camera
    assert last.photo.to_uint8().numpy().tobytes() == plugged[-1].tobytes()


def test_leaving_the_block_ends_the_iteration(plugged):
    with Webcam(0) as camera:
        frames = iter(camera)
        next(frames)
    assert next(frames, None) is None


@pytest.mark.parametrize(
    ("platform", "address"),
    [("linux", "/dev/video1"), ("darwin", "1"), ("win32", "video=Back")],
)
def test_each_system_has_its_own_way(tmp_path, monkeypatch, platform, address):
    container, opened = av.open(str(write_clip(tmp_path / "a.mkv", pictures(1)))), []
    devices = [
        SimpleNamespace(name="Front", media_types=["video"]),
        SimpleNamespace(name="Microphone", media_types=["audio"]),
        SimpleNamespace(name="Back", media_types=["video"]),
    ]
    monkeypatch.setattr(webcam.sys, "platform", platform)
    monkeypatch.setattr(webcam.av.device, "enumerate_input_devices", lambda _: devices)
    monkeypatch.setattr(
        webcam.av, "open", lambda *of, **options: opened.append((of, options)) or container
    )
    assert webcam._opened(1) is container
    form = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}[platform]
    assert opened == [((address,), {"format": form})]


@pytest.mark.refusal
def test_a_webcam_that_is_not_there_is_refused(monkeypatch):
    with pytest.raises(VideoError, match="webcam 97 cannot be opened; plug one in, close other"):
        Webcam(97)
    monkeypatch.setattr(webcam.sys, "platform", "amiga")
    with pytest.raises(VideoError, match="webcams are not supported on amiga; name a video file"):
        Webcam(0)


@pytest.mark.refusal
def test_a_webcam_that_shows_nothing_is_refused(monkeypatch):
    dark = SimpleNamespace(decode=lambda video: iter(()), close=lambda: None)
    monkeypatch.setattr(webcam, "_opened", lambda number: dark)
    with pytest.raises(VideoError, match="webcam 0 shows nothing; is another program using it"):
        Webcam(0)
