"""Woven frames of two moments become frames of the first one."""

import numpy as np
import pytest

from morphface.media.video import read_video
from tests.media.video.clips import write_clip

SIZE = (64, 96)
Y, X = np.mgrid[: SIZE[0], : SIZE[1]]


def moved(time):
    """A soft pattern that moves to the right."""
    wave = 128 + 60 * np.sin((X - 9 * time) * 0.25) + 30 * np.sin(Y * 0.11)
    return np.repeat(wave[..., None], 3, axis=-1).astype(np.uint8)


def woven(count, still=False):
    frames = []
    for k in range(count):
        frame, later = moved(0 if still else k), moved(0 if still else k + 0.5)
        frame[1::2] = later[1::2]
        frames.append(frame)
    return frames


def by_flag(path, frames, first="tff"):
    coder = {"qp": "0", "preset": "ultrafast", "x264-params": f"{first}=1"}
    return write_clip(path, frames, codec="libx264", layout="yuv420p", coder=coder)


def by_container(path, frames):
    def prepare(stream):
        stream.codec_context.field_order = 2  # top field first

    return write_clip(path, frames, codec="ffv1", layout="yuv420p", coder={}, prepare=prepare)


def read(path, **options):
    with read_video(path, **options) as video:
        return list(video)


def errors(found):
    return [
        np.abs(frame.photo.to_uint8().numpy().astype(int) - moved(frame.index)).mean()
        for frame in found
    ]


@pytest.mark.parametrize("write", [by_flag, by_container])
def test_frames_show_the_moment_of_their_first_field(tmp_path, write):
    frames = woven(10)
    found = read(write(tmp_path / "a.mkv", frames))
    assert [frame.index for frame in found] == list(range(10))
    np.testing.assert_allclose([frame.time for frame in found], np.arange(10) * 0.04, atol=1e-9)
    combs = [np.abs(frame.astype(int) - moved(k)).mean() for k, frame in enumerate(frames)]
    assert np.median(errors(found)[1:-1]) < 0.25 * np.median(combs)


def test_the_bottom_field_may_be_the_first_one(tmp_path):
    frames = [moved(k + 0.5) for k in range(8)]
    for k, frame in enumerate(frames):
        frame[1::2] = moved(k)[1::2]
    found = read(by_flag(tmp_path / "a.mkv", frames, "bff"))
    assert np.median(errors(found)[1:-1]) < 2


def test_what_does_not_move_stays_sharp(tmp_path):
    found = read(by_flag(tmp_path / "a.mkv", woven(5, still=True)))
    for frame in found:
        assert np.abs(frame.photo.to_uint8().numpy().astype(int) - moved(0)).max() <= 4


def test_frames_of_a_part_and_a_spread_are_those_of_the_whole(tmp_path):
    path = by_flag(tmp_path / "a.mkv", woven(10))
    whole = read(path)
    with read_video(path) as video:
        spread = video.spread(3)
    for frame in [*read(path, start=0.2, every=2), *spread]:
        assert frame.time == whole[frame.index].time
        same = frame.photo.to_uint8() == whole[frame.index].photo.to_uint8()
        assert same.float().mean() > 0.99


def test_progressive_frames_are_not_touched(tmp_path):
    frames = woven(4)
    found = read(write_clip(tmp_path / "a.mkv", frames))
    for frame, values in zip(found, frames, strict=True):
        assert np.array_equal(frame.photo.to_uint8(), values)
