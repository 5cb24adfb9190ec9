from fractions import Fraction

import numpy as np
import pytest
import torch

from morphface.media.video import read_video
from morphface.media.video.picture import Picture
from morphface.media.video.timeline import Timeline
from tests.data import shared
from tests.media.video.clips import SIZE, pictures, planes, write_clip

WEIGHTS = {5: (0.299, 0.114), 1: (0.2126, 0.0722), 9: (0.2627, 0.0593)}


@pytest.fixture(scope="module")
def frames():
    return pictures(30)


@pytest.fixture(scope="module")
def clip(tmp_path_factory, frames):
    """Thirty frames with B-frames between them, a key frame every eight, uneven times."""
    path = tmp_path_factory.mktemp("clip") / "a.mkv"
    times = np.cumsum([0, *([40, 35, 90] * 10)])[:30].tolist()
    return write_clip(path, frames, times, gop=8), np.array(times) / 1000


def read(path, **options):
    with read_video(path, **options) as video:
        return [frame.photo.to_uint8().numpy() for frame in video]


def test_every_frame_comes_back_to_the_last_bit_with_its_number_and_time(clip, frames):
    path, times = clip
    with read_video(path) as video:
        found = list(video)
    assert [frame.index for frame in found] == list(range(30))
    np.testing.assert_allclose([frame.time for frame in found], times, atol=1e-9)
    for frame, values in zip(found, frames, strict=True):
        assert np.array_equal(frame.photo.to_uint8(), values)
    assert video.size == found[0].photo.size == SIZE
    assert not video.truncated
    assert found[0].photo.source == str(path)


def test_a_video_can_be_read_again_and_left_in_the_middle(clip, frames):
    with read_video(clip[0]) as video:
        for frame in video:
            if frame.index == 3:
                break
        assert len(list(video)) == len(frames)


@pytest.mark.parametrize("start", [0.0, 0.01, 0.33, 0.7, 1.2, 1.55])
@pytest.mark.parametrize("end", [None, 1.57])
def test_a_part_is_the_same_as_that_part_of_the_whole(clip, start, end):
    with read_video(clip[0]) as video:
        whole = [f for f in video if f.time >= start and (end is None or f.time < end)]
    with read_video(clip[0], start=start, end=end, every=3) as video:
        part = list(video)
    assert [(f.index, f.time) for f in part] == [(f.index, f.time) for f in whole[::3]]
    for ours, theirs in zip(part, whole[::3], strict=True):
        assert torch.equal(ours.photo.to_uint8(), theirs.photo.to_uint8())
    assert 0.5 * len(part) <= video.frames <= 2 * len(part)


@pytest.mark.parametrize("n", [1, 4, 30, 99])
def test_spread_frames_are_those_of_the_whole(clip, frames, n):
    with read_video(clip[0]) as video:
        found = video.spread(n)
    assert len(found) == min(n, 30)
    gaps = np.diff([-0.5 * 30 / n, *[frame.index for frame in found]])
    assert gaps.max() <= 30 / min(n, 30) + 1
    for frame in found:
        assert np.array_equal(frame.photo.to_uint8(), frames[frame.index])
        assert frame.time == pytest.approx(clip[1][frame.index])


def test_spread_keeps_to_the_span(clip):
    with read_video(clip[0], start=0.5, end=1.0) as video:
        assert all(0.5 <= frame.time < 1.0 for frame in video.spread(5))


def test_spread_does_without_times_of_packets(clip, monkeypatch):
    with read_video(clip[0], start=0.3, end=1.1) as video:
        sought = video.spread(4)
        monkeypatch.setattr(Timeline, "read", classmethod(lambda *_: None))
        counted = video.spread(4)
    assert [f.index for f in counted] == [f.index for f in sought]
    assert all(
        torch.equal(a.photo.pixels, b.photo.pixels) for a, b in zip(counted, sought, strict=True)
    )


def test_a_stream_without_times_is_read_at_its_rate(tmp_path, frames):
    path = write_clip(tmp_path / "a.h264", frames[:8], form="h264", coder={"qp": "0", "bf": "0"})
    with read_video(path) as video:
        times = [frame.time for frame in video]
    np.testing.assert_allclose(np.diff(times), 1 / video.rate, atol=1e-6)
    assert len(times) == 8


TURNS = [(degrees, h, v) for degrees in (0, 90, 180, 270) for h, v in ((0, 0), (1, 0), (0, 1))]


@pytest.mark.parametrize(("degrees", "mirrored", "flipped"), TURNS)
def test_turned_and_mirrored_videos_are_upright(tmp_path, degrees, mirrored, flipped):
    want = pictures(1)[0]
    stored = want[:: -1 if flipped else 1, :: -1 if mirrored else 1]
    stored = np.ascontiguousarray(np.rot90(stored, -degrees // 90))
    path = write_clip(
        tmp_path / "a.mp4",
        [stored],
        prepare=lambda stream: stream.set_display_rotation(degrees, bool(mirrored), bool(flipped)),
    )
    with read_video(path) as video:
        assert video.size == SIZE
    assert np.array_equal(read(path)[0], want)


@pytest.mark.parametrize(("codec", "suffix"), [("qtrle", "mov"), ("png", "mov"), ("ffv1", "mkv")])
def test_transparent_frames_are_shown_on_white(tmp_path, codec, suffix):
    layout = {"qtrle": "argb", "png": "rgba", "ffv1": "bgra"}[codec]
    half = np.concatenate([pictures(1)[0], np.full((*SIZE, 1), 255, np.uint8)], axis=-1)
    half[:, 20:, 3], half[:, 40:, 3] = 0, 128
    path = write_clip(tmp_path / f"a.{suffix}", [half], codec=codec, layout=layout, coder={})
    found = read(path)[0]
    assert np.array_equal(found[:, :20], half[:, :20, :3])
    assert (found[:, 20:40] == 255).all()
    mixed = half[:, 40:, :3] * (128 / 255) + 127
    np.testing.assert_allclose(found[:, 40:], mixed, atol=0.51)


def test_transparent_vp9_is_shown_on_white(tmp_path):
    clear = np.concatenate([pictures(1)[0], np.zeros((*SIZE, 1), np.uint8)], axis=-1)
    path = write_clip(tmp_path / "a.webm", [clear], codec="libvpx-vp9", layout="yuva420p", coder={})
    assert read(path)[0].min() >= 250


@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("colour", [(200, 80, 40), (20, 120, 220), (128, 128, 128)])
def test_matrix_and_range_of_the_file_are_followed(tmp_path, matrix, full, colour):
    path = write_clip(
        tmp_path / "a.mkv", [coded(colour, matrix, full)], codec="ffv1", layout="yuv444p", coder={}
    )
    np.testing.assert_allclose(read(path)[0][20, 20], colour, atol=2)


@pytest.mark.parametrize(("size", "matrix"), [(SIZE, 5), ((720, 1280), 1)])
def test_without_a_matrix_the_size_decides(tmp_path, size, matrix):
    frame = coded((200, 80, 40), matrix, False, size)
    frame.colorspace = 2
    path = write_clip(tmp_path / "a.mkv", [frame], codec="ffv1", layout="yuv444p", coder={})
    np.testing.assert_allclose(read(path)[0][20, 20], (200, 80, 40), atol=2)


def coded(colour, matrix, full, size=SIZE):
    """A frame of one colour, by the formulas of ITU-R BT.601, BT.709 and BT.2020."""
    (kr, kb), (r, g, b) = WEIGHTS[matrix], (value / 255 for value in colour)
    y = kr * r + (1 - kr - kb) * g + kb * b
    blue, red = (b - y) / (2 - 2 * kb), (r - y) / (2 - 2 * kr)
    luma, chroma, black = (255, 255, 0) if full else (219, 224, 16)
    values = (luma * y + black, chroma * blue + 128, chroma * red + 128)
    return planes(*values, size, matrix=matrix, full=full)


def test_odd_sizes_and_pixels_that_are_not_square_are_shown_as_they_are(tmp_path):
    odd = pictures(2, (35, 57))
    path = write_clip(tmp_path / "a.mkv", odd, codec="ffv1", layout="bgr0", coder={})
    assert all(np.array_equal(*pair) for pair in zip(read(path), odd, strict=True))

    def anamorphic(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(3, 2)

    wide = write_clip(tmp_path / "b.mkv", pictures(1), prepare=anamorphic)
    with read_video(wide) as video:
        assert video.size == (SIZE[0], SIZE[1] * 3 // 2)
        assert next(iter(video)).photo.size == video.size


def test_frames_that_change_their_size_are_scaled_to_the_first(tmp_path):
    path = write_clip(tmp_path / "a.ts", pictures(3), codec="libx264", layout="yuv420p")
    other = write_clip(tmp_path / "b.ts", pictures(3, (80, 112)), codec="libx264", layout="yuv420p")
    path.write_bytes(path.read_bytes() + other.read_bytes())
    shapes = [values.shape[:2] for values in read(path)]
    assert shapes == [SIZE] * len(shapes)
    assert len(shapes) > 3


def test_reading_is_lazy(clip, monkeypatch):
    decoded = []
    convert = Picture.tensor
    monkeypatch.setattr(Picture, "tensor", lambda *of: decoded.append(1) or convert(*of))
    with read_video(clip[0]) as video:
        frames = iter(video)
        next(frames)
        next(frames)
    assert len(decoded) == 2


@pytest.mark.parametrize(
    ("name", "size", "count", "sound"),
    [
        ("webcam_head_turns", (300, 400), 765, False),
        ("silent_film_small_faces", (360, 640), 241, True),
    ],
)
def test_real_clips_are_read_whole(name, size, count, sound):
    with read_video(shared("clips", f"{name}.mp4")) as video:
        numbers = [frame.index for frame in video]
        assert (video.size, video.rate, video.frames, video.has_sound) == (size, 25, count, sound)
    assert numbers == list(range(count))
    assert not video.truncated


def test_a_late_part_of_a_real_clip_is_the_same_as_that_part_of_the_whole():
    path = shared("clips", "webcam_head_turns.mp4")
    with read_video(path, start=20.5, end=21.0) as video:
        part = list(video)
    with read_video(path, end=21.0) as video:
        whole = [frame for frame in video if frame.time >= 20.5]
    assert [frame.index for frame in part] == [frame.index for frame in whole] != []
    for one, other in zip(part, whole, strict=True):
        assert torch.equal(one.photo.to_uint8(), other.photo.to_uint8())
