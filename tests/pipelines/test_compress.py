"""A clip as one photo and motion, and back."""

import wave

import av
import numpy as np
import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.generate import GeneratorConfig, generator_of, save_generator
from morphface.geometry import Camera
from morphface.media.video import VideoWriter, read_video
from morphface.models import load_model
from morphface.parameters import FaceParameters, Track, save_track
from morphface.pipelines.compress import compress_video, decompress_video, read_clip_file
from morphface.pipelines.compress.unpack import motion_of, opened_clip
from morphface.render import render_maps

FRAMES, SIDE = 12, 96


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A film of a head that turns, and its track."""
    folder, model = tmp_path_factory.mktemp("clip"), load_model()
    still = FaceParameters.neutral(frames=FRAMES)
    rotation = torch.zeros(FRAMES, 3)
    rotation[:, 1] = torch.linspace(-0.3, 0.3, FRAMES)
    face = FaceParameters(**{**vars(still), "rotation": rotation})
    camera = Camera.facing((SIDE, SIDE), focal=1.4 * SIDE)
    shown = render_maps(model, face, camera, ("diffuse",))["diffuse"]
    tone = (3000 * np.sin(np.arange(8000) / 5)).astype("<i2")
    with wave.open(str(folder / "tone.wav"), "wb") as sound:
        sound.setparams((1, 2, 16000, 0, "NONE", ""))
        sound.writeframes(tone.tobytes())
    film = VideoWriter(folder / "talk.mkv", (SIDE, SIDE), 25.0, sound_from=folder / "tone.wav")
    with film as writer:
        for frame in shown:
            writer.write(frame)
    rows = torch.arange(FRAMES)
    nothing = torch.zeros(FRAMES)
    track = Track(face, camera, 0 * rows, rows / 25.0, rows, nothing, torch.zeros(FRAMES, 4))
    save_track(folder / "track.npz", track, model="open-head")
    return folder


@pytest.fixture(scope="module")
def packed(clip):
    out = clip / "talk.mfc"
    return out, compress_video(clip / "talk.mkv", out, track=clip / "track.npz", size=64)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    torch.manual_seed(0)
    maps = {"maps": ("correspondence",), "channels": (3,), "offsets": (-2, -1, 0)}
    config = GeneratorConfig(kind="headgan", resolution=32, width=4, model="open-head", **maps)
    place = tmp_path_factory.mktemp("run") / "generator.safetensors"
    save_generator(place, generator_of(config))
    return place.parent


def test_a_clip_becomes_a_photo_and_few_bits_a_frame(packed):
    file, made = packed
    held = read_clip_file(file)
    assert made.frames == FRAMES
    assert made.sizes == held.sizes
    assert sum(made.sizes.values()) < file.stat().st_size < sum(made.sizes.values()) + 64
    assert held.header["photo"] in (5, 6, 7)  # the middle of the poses
    moves = motion_of(held, load_model())
    wanted = torch.linspace(-0.3, 0.3, FRAMES)
    torch.testing.assert_close(moves.rotation[:, 1], wanted, atol=0.004, rtol=0)


def test_the_photo_has_the_face_where_the_motion_says(packed, generator):
    run, motion = opened_clip(read_clip_file(packed[0]), generator)
    mesh = run.photos[0].maps[0].sum(-1) > 0
    bright = run.photos[0].photo[0].mean(0) > -0.8
    both = (mesh & bright).sum() / (mesh | bright).sum()
    assert motion.frames == FRAMES
    assert both > 0.85


def test_a_generator_plays_it(packed, generator, tmp_path):
    count = decompress_video(packed[0], tmp_path / "out.mkv", generator=generator)
    assert count == FRAMES
    with read_video(tmp_path / "out.mkv") as video:
        frames = list(video)
        assert video.size == (32, 32)
    assert len(frames) == FRAMES
    assert np.isfinite(frames[0].photo.pixels.numpy()).all()


def test_the_sound_comes_through_as_it_is(packed, generator, clip, tmp_path):
    decompress_video(packed[0], tmp_path / "out.mkv", generator=generator)
    heard = []
    for path in (clip / "talk.mkv", tmp_path / "out.mkv"):
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(audio=0) if packet.size]
            heard.append(b"".join(bytes(packet) for packet in packets))
    assert packed[1].sizes["sound"] > len(heard[0]) > 1000
    assert heard[1] == heard[0]


@pytest.mark.refusal
def test_damaged_and_foreign_files_are_refused(packed, clip, tmp_path):
    data = bytearray(packed[0].read_bytes())
    with pytest.raises(MissingFileError, match="there is no compressed clip"):
        read_clip_file(tmp_path / "none.mfc")
    for change, words in (
        (lambda d: d.__setitem__(40, d[40] ^ 1), "is damaged: its checksum"),
        (lambda d: d.__setitem__(7, 9), "was written by a newer morphface"),
        (lambda d: d.__setitem__(0, 9), "is no compressed clip; `morphface compress`"),
    ):
        broken = bytearray(data)
        change(broken)
        (tmp_path / "x.mfc").write_bytes(broken)
        with pytest.raises(ParameterError, match=words):
            read_clip_file(tmp_path / "x.mfc")
    with pytest.raises(ParameterError, match="size must be from 64 to 1024 pixels, got 8"):
        compress_video(clip / "talk.mkv", tmp_path / "y.mfc", size=8)
    with pytest.raises(ParameterError, match="compressed to .mfc files, got 'y.zip'"):
        compress_video(clip / "talk.mkv", tmp_path / "y.zip", track=clip / "track.npz", size=64)


@pytest.mark.refusal
def test_a_generator_of_another_kind_is_refused(packed, tmp_path):
    config = GeneratorConfig(kind="dvp", resolution=32, width=4)
    save_generator(tmp_path / "generator.safetensors", generator_of(config))
    with pytest.raises(
        ModelError, match="is a dvp generator of model open-head; a photo of model open-head needs"
    ):
        decompress_video(packed[0], tmp_path / "z.mp4", generator=tmp_path)
