import wave
from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from morphface.core.errors import MissingFileError, OutputError, ParameterError, VideoError
from morphface.media import VideoWriter, read_sound, sound_blocks, write_sound
from tests.media.video.clips import pictures, write_clip

CLICKS = (0.5, 1.25)
FORMS = [
    ("a.wav", "pcm_s16le", 8_000, "mono"),
    ("a.wav", "pcm_s24le", 96_000, "stereo"),
    ("a.flac", "flac", 44_100, "mono"),
    ("a.mp3", "libmp3lame", 44_100, "stereo"),
    ("a.ogg", "libopus", 48_000, "mono"),
    ("a.mka", "aac", 48_000, "stereo"),
]


def write_clicks(path, codec, rate, layout):
    """Two seconds with two clicks, coded by PyAV alone."""
    channels = 1 if layout == "mono" else 2
    values = np.zeros((channels, 2 * rate), np.float32)
    for time in CLICKS:
        values[:, round(time * rate) : round(time * rate) + max(1, rate // 4000)] = 0.9
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        coder = stream.codec_context
        coder.open()
        resampler = av.AudioResampler(coder.format.name, layout, rate, coder.frame_size or 1024)
        frame = av.AudioFrame.from_ndarray(values, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for piece in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(piece))
    return path


def clicks_in(samples, rate=16_000):
    """When the loudest sample of each second's second half is."""
    cut = round(0.9 * rate)
    return [
        (int(samples[:cut].abs().argmax())) / rate,
        (cut + int(samples[cut:].abs().argmax())) / rate,
    ]


@pytest.mark.parametrize(("name", "codec", "rate", "layout"), FORMS)
def test_clicks_are_where_they_were_whatever_the_coding(tmp_path, name, codec, rate, layout):
    samples = read_sound(write_clicks(tmp_path / name, codec, rate, layout))
    np.testing.assert_allclose(clicks_in(samples), CLICKS, atol=0.0005)
    assert len(samples) / 16_000 == pytest.approx(2.0, abs=0.05)


def test_a_written_sound_reads_back(tmp_path):
    samples = torch.sin(torch.arange(5000) / 7) * 0.8
    write_sound(tmp_path / "a.wav", samples)
    torch.testing.assert_close(read_sound(tmp_path / "a.wav"), samples, atol=1e-4, rtol=0)


def test_blocks_are_the_whole_in_parts(tmp_path):
    write_sound(tmp_path / "a.wav", torch.rand(40_000) - 0.5)
    blocks = list(sound_blocks(tmp_path / "a.wav", seconds=1.0))
    assert [len(block) for block in blocks] == [16_000, 16_000, 8_000]
    assert torch.equal(torch.cat(blocks), read_sound(tmp_path / "a.wav"))


@pytest.mark.parametrize("suffix", ["mp4", "webm", "mkv"])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3"])
def test_a_film_hears_a_file_of_sound_when_it_was(tmp_path, name, suffix):
    form = next(form for form in FORMS if form[0] == name)
    source = write_clicks(tmp_path / name, *form[1:])
    with VideoWriter(tmp_path / f"b.{suffix}", (40, 56), 25.0, sound_from=source) as writer:
        for values in pictures(50):
            writer.write(torch.from_numpy(values))
    assert writer.sound_missing == ""
    with av.open(str(tmp_path / f"b.{suffix}")) as made:
        begin = next(made.decode(video=0)).time
    with av.open(str(tmp_path / f"b.{suffix}")) as made:
        assert not made.streams.audio[0].codec_context.name.startswith("pcm")
        late = next(made.decode(audio=0)).time - begin
    heard = clicks_in(read_sound(tmp_path / f"b.{suffix}"))
    np.testing.assert_allclose(np.array(heard) + late, CLICKS, atol=0.002)


@pytest.mark.refusal
def test_what_is_no_sound_is_refused(tmp_path):
    silent = write_clip(tmp_path / "a.mp4", pictures(3))
    (tmp_path / "a.wav").write_bytes(b"RIFF, but no more")
    (tmp_path / "b.wav").write_bytes(b"")
    with pytest.raises(VideoError, match="has no sound; name a file that has"):
        read_sound(silent)
    with pytest.raises(VideoError, match="is no sound of a known kind, or damaged"):
        read_sound(tmp_path / "a.wav")
    with pytest.raises(VideoError, match="is empty"):
        read_sound(tmp_path / "b.wav")
    with pytest.raises(MissingFileError, match="there is no file"):
        read_sound(tmp_path / "nowhere.wav")
    with pytest.raises(ParameterError, match="rate must be from 1000"):
        read_sound(silent, 10)
    with wave.open(str(tmp_path / "c.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
    with pytest.raises(VideoError, match="holds nothing that can be decoded"):
        read_sound(tmp_path / "c.wav")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_sound(tmp_path / "file" / "a.wav", torch.zeros(4))
