"""Pictures that make a clip."""

import numpy as np
import pytest
from PIL import Image

from morphface.core.errors import ImageError, MissingFileError, ParameterError, VideoError
from morphface.media.video import read_video
from tests.media.video.clips import SIZE, pictures

FRAMES = pictures(11)


@pytest.fixture
def folder(tmp_path):
    """Eleven pictures whose names sort wrongly as text, and something else."""
    for number, values in enumerate(FRAMES):
        Image.fromarray(values).save(tmp_path / f"f{number}.png")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


def read(path, **options):
    with read_video(path, **options) as video:
        return [(frame.index, round(frame.time, 6), frame.photo) for frame in video]


@pytest.mark.parametrize("name", ["", "f%d.png", "f*.png"])
def test_a_folder_and_a_pattern_are_a_clip_in_the_order_of_numbers(folder, name):
    found = read(folder / name, rate=10.0)
    assert [(index, time) for index, time, _ in found] == [(k, k / 10) for k in range(11)]
    for (_, _, photo), values in zip(found, FRAMES, strict=True):
        assert np.array_equal(photo.to_uint8(), values)


def test_digits_of_a_pattern_are_at_least_so_many(tmp_path):
    for name in ("a00001.png", "a00010.png", "a7.png", "a00003.jpg"):
        Image.fromarray(FRAMES[0]).save(tmp_path / name)
    assert len(read(tmp_path / "a%05d.png")) == 2
    assert len(read(tmp_path / "a%d.png")) == 3


def test_a_part_every_and_a_spread_are_those_of_a_video(folder):
    assert [index for index, _, _ in read(folder, start=0.2, end=0.4, rate=20.0, every=2)] == [4, 6]
    with read_video(folder) as video:
        assert (video.size, video.rate, video.duration) == (SIZE, 25, 11 / 25)
        assert (video.frames, video.has_sound, video.truncated) == (11, False, False)
        assert [frame.index for frame in video.spread(3)] == [1, 5, 9]
        assert len(list(video)) == len(list(video)) == 11


@pytest.mark.refusal
def test_what_makes_no_clip_is_refused(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(VideoError, match="is a folder; name a video in it"):
        read_video(empty)
    with pytest.raises(ImageError, match="no file is named like .*g%05d.png; check the pattern"):
        read_video(folder / "g%05d.png")
    with pytest.raises(MissingFileError, match="there is no file"):
        read_video(empty / "no" / "g%05d.png")
    with pytest.raises(ParameterError, match="rate must be from 0.01 to 1000 frames"):
        read_video(folder, rate=0.0)
    with pytest.raises(ParameterError, match="start is 9 s, but .* is only 0.44 s long"):
        read_video(folder, start=9.0)
    with pytest.raises(VideoError, match="shows no frames from start to end"):
        read(folder, start=0.01, end=0.02)


@pytest.mark.refusal
def test_pictures_of_two_sizes_and_a_rate_for_a_video_are_refused(folder):
    from tests.media.video.clips import write_clip

    Image.new("RGB", (64, 64)).save(folder / "f3.png")
    with pytest.raises(ImageError, match="f3.png has 64 x 64 pixels, the first picture"):
        read(folder)
    clip = write_clip(folder / "a.mp4", FRAMES)
    with pytest.raises(ParameterError, match="rate is for pictures, but .*a.mp4 is a video"):
        read_video(clip, rate=25.0)
