"""A rendered head in the role of a photo, moved by a small generator that was not trained."""

from dataclasses import replace

import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.generate import make_generator, save_generator
from morphface.media import read_sound, write_sound
from morphface.media.video import read_video
from morphface.parameters import Track, save_track
from morphface.pipelines import actors
from morphface.pipelines.oneshot import run as oneshot
from morphface.pipelines.oneshot.drawer import drawers_of
from morphface.pipelines.oneshot.films import animate_photo, photo_settings, reenact_photo
from morphface.pipelines.oneshot.run import open_photo, photo_run
from morphface.pipelines.photo import fit_photo
from morphface.pipelines.speak import Script, Showing, speak_files
from morphface.speech import Phoneme, save_phonemes
from tests.pipelines.family import album_of
from tests.speech.sounds import tone

SIDE = 32


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    with album_of(tmp_path_factory.mktemp("album")) as paths:
        yield paths


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return make_generator("headgan", resolution=SIDE, width=4, blend=True).eval()


@pytest.fixture(scope="module")
def weights(tmp_path_factory, generator):
    path = tmp_path_factory.mktemp("run") / "generator.safetensors"
    save_generator(path, generator)
    return path


@pytest.fixture(scope="module")
def found(album):
    return fit_photo(album[1], stage="linear")


def turned(face, yaws):
    """The face in as many frames, turned further by some angles."""
    some = ("expression", "illumination", "rotation", "translation", "gaze")
    parts = {
        n: getattr(face, n).repeat(len(yaws), *[1] * (getattr(face, n).ndim - 1)) for n in some
    }
    parts["rotation"][:, 1] += torch.tensor(yaws)
    return replace(face, **parts)


def test_the_head_stays_where_it_was_when_nothing_moves(found, generator, tmp_path):
    run = photo_run(found, tmp_path, generator)
    photo = run.photos[0]
    flow = photo.sitter.between(photo.scene, photo.scene).prior.flow
    assert float(flow.abs().max()) < 0.01
    made = list(run.frames(found.faces[0].parameters))
    assert len(made) == 1
    assert made[0].frame.shape == (SIDE, SIDE, 3)
    assert made[0].maps["correspondence"].max() > 100


@pytest.mark.parametrize("kind", ["headgan", "conr"])
def test_several_photos_of_a_person_are_looked_at(kind, album, found, tmp_path):
    torch.manual_seed(0)
    options = {"fusion": True} if kind == "headgan" else {}
    many = make_generator(kind, resolution=SIDE, width=4, blend=True, **options).eval()
    other = fit_photo(album[2], stage="linear")
    face = turned(found.faces[0].parameters, [0.0, 0.3])
    alone, both = (photo_run(found, tmp_path, many, others=others) for others in ([], [other]))
    frames = [torch.stack([made.frame for made in run.frames(face)]) for run in (alone, both)]
    assert float((frames[0] - frames[1]).abs().max()) > 0.02
    seen = [run.seen(turned(found.faces[0].parameters, [0.5])) for run in (alone, both)]
    assert float(seen[1].mean()) > float(seen[0].mean())


def test_frames_are_the_same_one_by_one_and_in_batches(found, generator, tmp_path):
    run = photo_run(found, tmp_path, generator)
    face = turned(found.faces[0].parameters, [0.0, 0.1, 0.2])
    one, two = ([made.frame for made in run.frames(face, batch=b)] for b in (1, 2))
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0.02)  # bfloat16, where there is any


def test_a_drawn_face_changes_its_surroundings_only_and_says_what_it_guessed(
    found, generator, weights
):
    drawer = drawers_of(found, weights.parent, "original")[0]
    face = found.faces[0].parameters
    pixels, sure = drawer.with_confidence(turned(face, [0.3]))
    photo = found.photo.pixels
    assert pixels.shape == photo.shape
    assert float((pixels - photo).abs().max()) > 0.05
    same, certain = drawer.with_confidence(face)
    assert float(sure.mean()) < float(certain.mean())


def test_a_photo_follows_a_driver_and_says_so(album, found, weights, tmp_path):
    face = turned(found.faces[0].parameters, [0.0, 0.1, 0.2])
    none = torch.full((3,), float("nan"))
    track = Track(
        face,
        found.faces[0].camera,
        states=torch.zeros(3, dtype=torch.long),
        times=torch.arange(3, dtype=torch.float64) / 25,
        indices=torch.arange(3),
        landmark_nme=none,
        boxes=none[:, None].expand(3, 4),
    )
    save_track(tmp_path / "track.npz", track, model="open-head")
    out = tmp_path / "out.mp4"
    report = reenact_photo(album[1], tmp_path, out, generator=weights.parent, sound="none")
    assert report["frames"] == 3
    assert report["background"] == "the photo, bent with the head"
    assert report["mode"] == "custom"
    with read_video(out) as video:
        assert len(list(video)) == 3
        assert video.size == found.photo.size


def test_photos_do_what_key_frames_say(album, found, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(oneshot, "fit_photo", lambda *_, **__: found)
    keys = [{"time": 0}, {"time": 0.1, "yaw": 10}]
    report = animate_photo(
        album[1], keys, tmp_path / "out.mp4", generator=weights, more=[album[2]], label=False
    )
    assert report["frames"] == 3
    assert report["warnings"] == []


@pytest.fixture
def said(tmp_path):
    """A sound of a fifth of a second, and the phonemes in it."""
    write_sound(tmp_path / "said.wav", tone(0.2))
    save_phonemes(tmp_path / "said.txt", [Phoneme("ɑ", 0.0, 0.2)])
    return {"sound": tmp_path / "said.wav", "script": Script(phonemes=tmp_path / "said.txt")}


def test_a_photo_speaks_by_a_generator_of_anybody(found, weights, said, tmp_path, monkeypatch):
    monkeypatch.setattr(actors, "fit_photo", lambda *_, **__: found)
    out = tmp_path / "out.mp4"
    showing = Showing(rate=10.0, generator=weights.parent, label=False)
    report = speak_files("me.png", out=out, showing=showing, **said)
    assert report["warnings"] == []
    assert report["run"]["sound"].endswith("said.wav")
    with read_video(out) as video:
        frames = [frame.photo.pixels for frame in video]
        assert video.size == found.photo.size
    assert len(frames) == report["frames"] == 2
    assert float((frames[0] - found.photo.pixels).abs().median()) < 0.05
    assert read_sound(out).abs().max() > 0.05


@pytest.mark.refusal
def test_only_photos_speak_by_a_generator_of_anybody(said, weights, tmp_path):
    showing = Showing(generator=weights.parent)
    with pytest.raises(ParameterError, match=r"shows, but clip\.mp4 is no photo"):
        speak_files("clip.mp4", out=tmp_path / "out.mp4", showing=showing, **said)


def test_expressions_are_added_or_taken_and_places_smoothed():
    assert photo_settings("reenact").expression.how == "relative"
    assert photo_settings("reenact", expression="absolute").expression.how == "absolute"
    assert photo_settings("reenact").translation.smooth == 15
    assert photo_settings("dub").translation.how == "keep"


@pytest.mark.refusal
def test_what_cannot_move_a_photo_is_refused(album, found, tmp_path, weights):
    with pytest.raises(MissingFileError, match="there is no generator at .*nowhere; name the fold"):
        open_photo(album[1], tmp_path / "nowhere")
    person = make_generator(resolution=32, width=4).eval()
    with pytest.raises(ModelError, match="holds a dvp generator, which knows one person only"):
        photo_run(found, tmp_path, person)
    other = make_generator("headgan", resolution=32, width=4, model="other").eval()
    with pytest.raises(ModelError, match="made for the model 'other', the photo is fitted with"):
        photo_run(found, tmp_path, other)
    with pytest.raises(ParameterError, match="background must be original with a generator"):
        drawers_of(found, weights, "plain")
