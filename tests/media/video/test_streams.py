"""Which stream is the video, and how many frames a second it has."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from morphface.core.errors import VideoError
from morphface.media.video import read_video
from tests.media.video.clips import pictures, write_clip, write_tone


class Pipe(io.RawIOBase):
    """A target that cannot go back, as a browser's recorder has."""

    def __init__(self):
        super().__init__()
        self.data = bytearray()

    def writable(self):
        return True

    def seekable(self):
        return False

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def recorded(path, times):
    """WebM without duration and without the duration of a frame, in thousandths of a second."""
    pipe, step = Pipe(), Fraction(1, 1000)
    with av.open(pipe, "w", format="webm", options={"live": "1"}) as container:
        stream = container.add_stream("libvpx", rate=1000, options={"deadline": "realtime"})
        stream.height, stream.width, stream.pix_fmt = 40, 56, "yuv420p"
        stream.codec_context.time_base = step
        for values, time in zip(pictures(len(times)), times, strict=True):
            frame = av.VideoFrame.from_ndarray(values, "rgb24")
            frame.pts, frame.time_base = int(time), step
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    data, size = pipe.data, 0
    at = data.find(bytes.fromhex("23e383"))  # DefaultDuration becomes a void of the same length
    if at >= 0:
        size = data[at + 3] & 127
        data[at : at + 4 + size] = bytes([0xEC, 0x80 | (2 + size)]) + bytes(2 + size)
    path.write_bytes(bytes(data))
    return path


def test_the_rate_of_a_recording_is_that_of_its_times(tmp_path):
    times = np.cumsum([0, *([61, 33, 33] * 8)])[:24]
    with read_video(recorded(tmp_path / "a.webm", times)) as video:
        assert video.rate == pytest.approx(23 / (times[-1] / 1000), rel=1e-3)
        assert [round(frame.time * 1000) for frame in video] == times.tolist()
        assert not video.truncated


def test_a_high_rate_that_is_true_is_believed(tmp_path):
    path = write_clip(tmp_path / "a.mp4", pictures(12), [4 * k for k in range(12)])
    with read_video(path) as video:
        assert video.rate == pytest.approx(250, rel=0.01)


def test_a_file_that_states_a_rate_it_does_not_keep_is_measured(tmp_path):
    path = write_clip(tmp_path / "a.mkv", pictures(12), [80 * k for k in range(12)])  # says 25
    with read_video(path) as video:
        assert video.rate == pytest.approx(12.5, rel=0.01)


def with_cover(path, frames, sound=False):
    """A picture as a plain first stream, then what matters."""
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 64, 64, "yuvj420p"
        tone = container.add_stream("aac", rate=16000) if sound else None
        streams = [(cover, [np.full((64, 64, 3), 90, np.uint8)])]
        if frames:
            main = container.add_stream("libx264", rate=25)
            main.height, main.width = frames[0].shape[:2]
            main.pix_fmt = "yuv420p"
            streams.append((main, frames))
        for stream, pictures_of in streams:
            for values in pictures_of:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(values, "rgb24")))
            container.mux(stream.encode(None))
        if tone is not None:
            write_tone(container, tone, 0.5)
    return path


def test_a_cover_that_is_written_as_a_plain_stream_is_passed_over(tmp_path):
    path = with_cover(tmp_path / "a.mkv", pictures(6))
    with read_video(path) as video:
        assert len(list(video)) == 6
        assert video.size == (40, 56)


@pytest.mark.refusal
@pytest.mark.parametrize("suffix", ["m4a", "mkv"])
def test_a_song_with_a_cover_is_no_video(tmp_path, suffix):
    if suffix == "m4a":
        path = song_with_attached_cover(tmp_path / "a.m4a")
    else:
        path = with_cover(tmp_path / f"a.{suffix}", [], sound=True)
    with pytest.raises(VideoError, match="holds sound but (no|only a still) picture"):
        read_video(path)


def song_with_attached_cover(path):
    with av.open(str(path), "w", format="mp4") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        tone = container.add_stream("aac", rate=16000)
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        container.mux(cover.encode(None))
        write_tone(container, tone, 0.5)
    return path
