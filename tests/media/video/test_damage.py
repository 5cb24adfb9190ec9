"""Videos that are cut off, damaged, or none at all."""

import av
import numpy as np
import pytest
from PIL import Image

from morphface.core.errors import MissingFileError, ParameterError, VideoError
from morphface.media import images
from morphface.media.video import read_video
from tests.media.video.clips import SIZE, pictures, write_clip, write_tone

COUNT = 20


@pytest.fixture(scope="module")
def frames():
    return pictures(COUNT)


def cut(path, share):
    """The beginning of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path


@pytest.mark.parametrize("share", [0.9, 0.5, 0.3])
@pytest.mark.parametrize("kind", ["mp4", "mkv", "webm", "ts"])
def test_what_is_left_of_a_cut_off_file_is_given_and_said(tmp_path, frames, kind, share):
    options = {"muxer": {"movflags": "faststart"}} if kind == "mp4" else {}
    if kind == "webm":
        options |= {"codec": "libvpx-vp9", "layout": "gbrp", "coder": {"lossless": "1"}}
    path = cut(write_clip(tmp_path / f"a.{kind}", frames, **options), share)
    with read_video(path) as video:
        found = [frame.photo.to_uint8().numpy() for frame in video]
    assert 0.5 * share * COUNT < len(found) < COUNT
    assert all(np.array_equal(*pair) for pair in zip(found, frames, strict=False))
    assert video.truncated or kind == "ts"  # which does not know how long it should be
    assert len(video.spread(3)) >= 2


def test_a_hole_in_the_middle_loses_only_what_lies_in_it(tmp_path, frames):
    path = write_clip(tmp_path / "a.mp4", frames, gop=4, coder={"qp": "0", "bf": "0"})
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 3000] = bytes(3000)
    path.write_bytes(whole)
    with read_video(path) as video:
        found = {round(f.time * 25): f.photo.to_uint8().numpy() for f in video}
    assert video.truncated
    same = [np.array_equal(values, frames[k]) for k, values in found.items()]
    assert sum(same) >= COUNT - 8


def test_a_whole_file_with_longer_sound_is_not_called_cut_off(tmp_path, frames):
    for kind in ("mp4", "mkv"):
        with read_video(write_clip(tmp_path / f"a.{kind}", frames, sound=2.0)) as video:
            assert len(list(video)) == COUNT
            assert video.has_sound
            assert not video.truncated, kind


@pytest.mark.refusal
def test_a_file_without_its_index_is_refused(tmp_path, frames):
    path = cut(write_clip(tmp_path / "a.mp4", frames), 0.8)
    with pytest.raises(VideoError, match="not a video of a known kind, or it is damaged"):
        read_video(path)


@pytest.mark.refusal
def test_a_file_that_holds_noise_where_pictures_should_be_is_refused(tmp_path, frames):
    path = write_clip(tmp_path / "a.mkv", frames[:3])
    whole = path.read_bytes()
    start = whole.index(b"\x1f\x43\xb6\x75") + 40
    noise = np.random.default_rng(0).integers(1, 99, len(whole) - start, np.uint8).tobytes()
    path.write_bytes(whole[:start] + noise)
    with pytest.raises(VideoError, match="not one frame of it can be decoded|holds no frames"):
        read_video(path)


@pytest.mark.refusal
def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        write_tone(container, container.add_stream("aac", rate=16000), 0.5)
    with pytest.raises(VideoError, match="holds sound but no pictures"):
        read_video(path)


@pytest.mark.refusal
@pytest.mark.parametrize(
    ("kind", "words"), [("avi", "holds no frames; name a"), ("mkv", "ends before its first frame")]
)
def test_a_video_without_frames_is_refused(tmp_path, kind, words):
    path = tmp_path / f"a.{kind}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.height, stream.width = SIZE
        container.start_encoding()
    with pytest.raises(VideoError, match=words):
        read_video(path)


@pytest.mark.refusal
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "mp4"])
def test_a_picture_is_refused_whatever_it_is_called(tmp_path, suffix):
    kind = "png" if suffix == "mp4" else None
    Image.new("RGB", (64, 64)).save(tmp_path / f"a.{suffix}", format=kind)
    with pytest.raises(VideoError, match="is a picture, not a video"):
        read_video(tmp_path / f"a.{suffix}")


@pytest.mark.refusal
@pytest.mark.parametrize("name", ["a.txt", "a.mp4", "a.nfo"])
def test_text_is_refused(tmp_path, name):
    (tmp_path / name).write_text("this is no video\n" * 50)
    with pytest.raises(VideoError, match="is not a video of a known kind"):
        read_video(tmp_path / name)


@pytest.mark.refusal
def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(VideoError, match="empty.mp4 is empty"):
        read_video(tmp_path / "empty.mp4")
    with pytest.raises(VideoError, match="is a folder; name a video in it"):
        read_video(tmp_path)
    with pytest.raises(MissingFileError, match="there is no file .*nowhere.mp4"):
        read_video(tmp_path / "nowhere.mp4")


@pytest.mark.refusal
def test_tiny_and_huge_frames_are_refused(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "tiny.mp4", pictures(1, (16, 64)))
    with pytest.raises(VideoError, match="64 x 16 pixels, but a face needs at least 32 x 32"):
        read_video(path)
    path = write_clip(tmp_path / "huge.mp4", pictures(1))
    monkeypatch.setattr("morphface.media.video.probe.MAX_PIXELS", 1000)
    with pytest.raises(VideoError, match="frames of 56 x 40 pixels, more than 0 million"):
        read_video(path)
    assert images.MAX_PIXELS > 1000


@pytest.mark.refusal
def test_senseless_spans_are_refused(tmp_path, frames):
    path = write_clip(tmp_path / "a.mp4", frames)
    with pytest.raises(ParameterError, match="every must be at least 1, got 0"):
        read_video(path, every=0)
    with pytest.raises(ParameterError, match="start is 9 s, but .*a.mp4 is only 0.80 s long"):
        read_video(path, start=9)
    with pytest.raises(ParameterError, match="start must be a time in seconds from 0, got -1"):
        read_video(path, start=-1)
    with pytest.raises(ParameterError, match="end must be later than start, got start 0.5 and"):
        read_video(path, start=0.5, end=0.5)
    with pytest.raises(VideoError, match="shows no frames from start to end; widen the span"):
        list(read_video(path, start=0.41, end=0.42))
    with pytest.raises(ParameterError, match="n must be at least 1, got 0"):
        read_video(path).spread(0)
