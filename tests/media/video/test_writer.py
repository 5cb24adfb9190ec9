import os

import av
import numpy as np
import pytest
import torch

from morphface.core.errors import (
    MissingDependencyError,
    MissingFileError,
    OutputError,
    ParameterError,
    ShapeError,
)
from morphface.media.video import VideoWriter, encoding, read_video
from tests.data import shared
from tests.disk import small_disk
from tests.media.video.clips import pictures, sound_packets, write_clip

ODD = (41, 57)


def tensors(count=6, size=(40, 56)):
    return [torch.from_numpy(values) for values in pictures(count, size)]


def wrote(path, frames, times=None, rate=25.0, **options):
    times = [None] * len(frames) if times is None else times
    with VideoWriter(path, frames[0].shape[:2], rate, **options) as writer:
        for pixels, time in zip(frames, times, strict=True):
            writer.write(pixels, time)
    return writer


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "m4v"])
def test_lossless_files_hold_every_bit_of_frames_of_odd_size(tmp_path, suffix):
    frames = tensors(size=ODD)
    wrote(tmp_path / f"a.{suffix}", frames, lossless=True)
    with read_video(tmp_path / f"a.{suffix}") as video:
        found = [frame.photo.to_uint8() for frame in video]
    assert len(found) == len(frames)
    assert all(torch.equal(*pair) for pair in zip(found, frames, strict=True))
    assert video.rate == 25


@pytest.mark.parametrize(("suffix", "step"), [("mp4", 1e-4), ("webm", 1e-3), ("gif", 0.02)])
def test_uneven_times_are_kept_and_begin_at_zero(tmp_path, suffix, step):
    times = [7.0, 7.04, 7.3, 7.34, 9.0, 9.04]
    wrote(tmp_path / f"a.{suffix}", tensors(), times)
    with read_video(tmp_path / f"a.{suffix}") as video:
        found = [frame.time for frame in video]
    np.testing.assert_allclose(found, np.array(times) - 7, atol=step)
    assert video.duration == pytest.approx(2.08, abs=step)


@pytest.mark.parametrize("rate", [24000 / 1001, 25.0, 59.94])
def test_frames_without_times_follow_the_rate(tmp_path, rate):
    wrote(tmp_path / "a.mp4", tensors(), rate=rate)
    with read_video(tmp_path / "a.mp4") as video:
        found = [frame.time for frame in video]
    np.testing.assert_allclose(found, np.arange(6) / rate, atol=2e-5)
    assert video.rate == pytest.approx(rate, rel=1e-3)


@pytest.mark.parametrize(("suffix", "error"), [("mp4", 0.02), ("webm", 0.03), ("gif", 0.03)])
def test_colours_are_kept_and_odd_sizes_are_padded_by_repetition(tmp_path, suffix, error):
    y, x = torch.meshgrid(torch.linspace(0, 1, 41), torch.linspace(0, 1, 57), indexing="ij")
    smooth = torch.stack([x, 0.8 - 0.6 * y, 0.5 * (x + y)], dim=-1)
    wrote(tmp_path / f"a.{suffix}", [smooth] * 3)
    with read_video(tmp_path / f"a.{suffix}") as video:
        found = [frame.photo.pixels for frame in video][-1]
    assert found.shape[:2] == (ODD if suffix == "gif" else (42, 58))
    assert (found[:41, :57] - smooth).abs().mean() < error
    assert (found[-1] - found[40]).abs().mean() < error


def test_floats_and_bytes_are_the_same_to_it(tmp_path):
    frames = tensors()
    wrote(tmp_path / "a.mp4", frames, lossless=True)
    wrote(tmp_path / "b.mp4", [pixels / 255 for pixels in frames], lossless=True)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_sound_is_copied_packet_for_packet(tmp_path, suffix):
    source = write_clip(tmp_path / "source.mp4", pictures(25), sound=1.0)
    with read_video(source) as video:
        frames = [(frame.photo.to_uint8(), frame.time) for frame in video]
    writer = wrote(tmp_path / f"a.{suffix}", *zip(*frames, strict=True), sound_from=source)
    before, after = sound_packets(source), sound_packets(tmp_path / f"a.{suffix}")
    assert writer.sound_missing == ""
    assert [content for _, content in after] == [content for _, content in before[: len(after)]]
    assert after[-1][0] > 0.9
    np.testing.assert_allclose(
        [t for t, _ in after], [t for t, _ in before[: len(after)]], atol=2e-3
    )


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_sound_is_cut_to_the_part_that_was_written_and_stays_in_time(tmp_path, suffix):
    source = write_clip(tmp_path / "source.mkv", pictures(50), sound=2.0)
    with (
        read_video(source, start=0.6, end=1.4) as video,
        VideoWriter(tmp_path / f"a.{suffix}", video.size, 25.0, sound_from=video) as writer,
    ):
        for frame in video:
            writer.write(frame.photo.pixels, frame.time)
    after = sound_packets(tmp_path / f"a.{suffix}")
    times = {content: time for time, content in sound_packets(source)}
    assert 12 <= len(after) <= 15
    for time, content in after:
        assert times[content] == pytest.approx(time + 0.6, abs=2e-3)
    assert after[0][0] == pytest.approx(0, abs=0.13)
    assert after[-1][0] < 0.8


def test_the_sound_of_a_real_clip_is_copied(tmp_path):
    source = shared("clips", "silent_film_small_faces.mp4")
    with read_video(source, end=1.0) as video:
        wrote(tmp_path / "a.mp4", [f.photo.to_uint8() for f in video], sound_from=source)
    before, after = sound_packets(source), sound_packets(tmp_path / "a.mp4")
    assert len(after) > 30
    assert [content for _, content in after] == [content for _, content in before[: len(after)]]


def test_sound_that_does_not_fit_is_coded_anew(tmp_path):
    source = write_clip(tmp_path / "source.mp4", pictures(4), sound=0.2)
    assert wrote(tmp_path / "a.webm", tensors(), sound_from=source).sound_missing == ""
    with av.open(str(tmp_path / "a.webm")) as container:
        assert container.streams.audio[0].codec_context.name == "opus"
        heard = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)
    assert 0.2 < np.abs(heard).max() < 0.7


def test_where_there_is_no_sound_that_is_said(tmp_path):
    source = write_clip(tmp_path / "source.mp4", pictures(4), sound=0.2)
    silent = write_clip(tmp_path / "silent.mp4", pictures(4))
    assert wrote(tmp_path / "a.gif", tensors(), sound_from=source).sound_missing
    assert "has no sound" in wrote(tmp_path / "a.mp4", tensors(), sound_from=silent).sound_missing
    for name in ("a.gif", "a.mp4"):
        with read_video(tmp_path / name) as video:
            assert len(list(video)) == 6
            assert not video.has_sound


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failed_run_leaves_the_old_file_and_no_fragment(tmp_path, failure):
    (tmp_path / "a.mp4").write_text("old")

    def fail_in(writer):
        writer.write(tensors(1)[0])
        raise failure

    with pytest.raises(failure), VideoWriter(tmp_path / "a.mp4", (40, 56), 25.0) as writer:
        fail_in(writer)
    assert os.listdir(tmp_path) == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_text() == "old"


@pytest.mark.refusal
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "gif"])
@pytest.mark.parametrize("size", [0, 300, 30_000])
def test_a_full_disk_is_refused_and_leaves_nothing(tmp_path, suffix, size):
    frames = tensors(10, (80, 112))
    refused = pytest.raises(OutputError, match=rf"cannot write to .*a.{suffix}: .* too large")
    with small_disk(size), refused:
        wrote(tmp_path / f"a.{suffix}", frames, lossless=suffix != "gif")
    assert os.listdir(tmp_path) == []


@pytest.mark.refusal
def test_what_cannot_be_written_is_refused(tmp_path, monkeypatch):
    with pytest.raises(OutputError, match=r"suffix of a video must be \.mp4, .*, or \.gif"):
        VideoWriter(tmp_path / "a.png", (40, 56), 25.0)
    with pytest.raises(OutputError, match=r"suffix of a video must be .* \.mkv or \.webm$"):
        VideoWriter(tmp_path / "a.gif", (40, 56), 25, lossless=True)
    with pytest.raises(ParameterError, match="rate must be a positive number .*, got 0"):
        VideoWriter(tmp_path / "a.mp4", (40, 56), 0)
    with pytest.raises(MissingFileError, match="there is no file .*nowhere.mp4"):
        wrote(tmp_path / "a.mp4", tensors(1), sound_from=tmp_path / "nowhere.mp4")
    with pytest.raises(OutputError, match="no frame was written to .*a.mp4"):
        VideoWriter(tmp_path / "a.mp4", (40, 56), 25.0).__enter__().__exit__(None, None, None)
    monkeypatch.setattr(encoding.av, "codecs_available", {"png"})
    with pytest.raises(MissingDependencyError, match="cannot encode mp4 .*pip install"):
        wrote(tmp_path / "a.mp4", tensors(1))
    assert os.listdir(tmp_path) == []


@pytest.mark.refusal
def test_frames_that_do_not_follow_are_refused(tmp_path):
    first, second = tensors(2)
    writer = VideoWriter(tmp_path / "a.mp4", (40, 56), 25.0)
    with pytest.raises(OutputError, match="takes frames inside its `with` block only"):
        writer.write(first)
    with writer:
        writer.write(first, 1.0)
        with pytest.raises(ParameterError, match="time must rise: 1 s does not follow 1 s"):
            writer.write(second, 1.0)
        with pytest.raises(ShapeError, match=r"must have shape \(..., 40, 56, 3\)"):
            writer.write(second[:20])
        with pytest.raises(ShapeError, match="pixels must be one frame"):
            writer.write(second[None])


@pytest.mark.parametrize("suffix", ["mp4", "mov", "m4v", "mkv", "webm", "gif"])
def test_tags_are_written_into_every_kind_of_file(tmp_path, suffix):
    words = "made by a program, not by a camera; " * 20  # a GIF's comment has blocks of 255
    wrote(tmp_path / f"a.{suffix}", tensors(3), tags={"comment": words, "title": "three"})
    with av.open(str(tmp_path / f"a.{suffix}")) as container:
        assert len(list(container.decode(video=0))) == 3
        found = {name.lower(): value for name, value in container.metadata.items()}
    assert found["comment"] == words
    assert suffix == "gif" or found["title"] == "three"
