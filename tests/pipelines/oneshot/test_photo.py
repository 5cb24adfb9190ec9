"""A rendered head in the role of a photo, moved by a small generator that was not trained."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from morphface.core.errors import MissingFileError, ModelError, ParameterError
from morphface.edit.named import names_of
from morphface.generate import load_generator, make_generator, save_generator
from morphface.generate.bridge import BRIDGE, fit_bridge, save_bridge
from morphface.geometry.angles import rotvec_to_angles
from morphface.media import read_sound, write_sound
from morphface.media.video import VideoWriter, read_video
from morphface.parameters import Track, save_track
from morphface.pipelines import actors
from morphface.pipelines.oneshot import latent as latent_module
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


def test_key_points_and_depth_move_a_photo(found, tmp_path):
    torch.manual_seed(0)
    made = make_generator("dagan", resolution=SIDE, width=4, blend=True).eval()
    run = photo_run(found, tmp_path, made)
    face = turned(found.faces[0].parameters, [0.0, 0.3])
    still, moved = (told.style.unflatten(0, (-1, 8)) for told in run._told(face))
    torch.testing.assert_close(still[:, :2], still[:, 2:4], rtol=0, atol=1e-5)
    assert float((moved[:, :2] - moved[:, 2:4]).abs().max()) > 0.05
    depth, mask = run.photos[0].maps[0].unbind(-1)
    assert 0.2 < float(mask.mean()) < 0.9
    assert float(depth[mask > 0].min()) > 0.2
    frames = [one.frame for one in run.frames(face)]
    assert float((frames[0] - frames[1]).abs().max()) > 0.02


def test_points_of_the_mesh_move_a_photo_whose_depth_is_read_off_it(found, tmp_path):
    torch.manual_seed(0)
    options = {"resolution": SIDE, "width": 4, "blend": True, "depth": "learned"}
    run = photo_run(found, tmp_path, make_generator("dagan", **options).eval())
    assert run.photos[0].maps.shape[-1] == 0
    face = turned(found.faces[0].parameters, [0.0, 0.3])
    frames = [one.frame for one in run.frames(face)]
    assert float((frames[0] - frames[1]).abs().max()) > 0.02


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


@pytest.fixture(scope="module")
def latent(found, tmp_path_factory):
    """A generator whose first number is the yaw, and whose others say nothing."""
    folder = tmp_path_factory.mktemp("lia")
    torch.manual_seed(0)
    save_generator(
        folder / "generator.safetensors", make_generator("lia", resolution=SIDE, width=4)
    )
    names = names_of(found.faces[0].model)
    named = torch.randn(200, len(names), generator=torch.Generator().manual_seed(1))
    motion = torch.zeros(200, 20)
    motion[:, 0] = named[:, names.index("yaw")]
    save_bridge(folder / BRIDGE, fit_bridge(motion, named, names))
    return folder


def test_parameters_drive_latent_motion_over_the_bridge(found, latent):
    run = photo_run(found, latent, load_generator(latent / "generator.safetensors"))
    face = turned(found.faces[0].parameters, [0.0, 0.2])
    still, moved = list(run._styles(face))
    torch.testing.assert_close(still, run.own[0])
    torch.testing.assert_close((moved - still)[0], torch.tensor(0.2), rtol=0, atol=0.02)
    assert float((moved - still)[1:].abs().max()) < 1e-3
    frames = [made.frame for made in run.frames(face)]
    assert float((frames[0] - frames[1]).abs().max()) > 1e-3
    back = latent_module._followed(run, run.own + torch.tensor([[0.0] * 20, [0.3] + [0.0] * 19]))
    turns = rotvec_to_angles(back.rotation)[:, 0]
    torch.testing.assert_close(turns[1] - turns[0], torch.tensor(0.3), rtol=0, atol=0.03)


@pytest.fixture
def talk(found, tmp_path, monkeypatch):
    """A driver of three frames, whose face is where that of the photo is."""
    with VideoWriter(tmp_path / "talk.mp4", found.photo.size, 25.0) as video:
        for step in range(3):
            video.write(found.photo.pixels.roll(4 * step, 1))
    seen = SimpleNamespace(points=found.faces[0].predicted)
    monkeypatch.setattr(latent_module, "faces_of", lambda *_: (None, [seen]))
    monkeypatch.setattr(oneshot, "fit_photo", lambda *_, **__: found)
    return tmp_path / "talk.mp4"


@pytest.mark.parametrize("motion", ["relative", "absolute"])
def test_frames_of_a_driver_are_followed_without_a_track(
    motion, album, found, latent, tmp_path, talk
):
    given = {"generator": latent, "motion": motion, "sound": "none", "label": False}
    report = reenact_photo(album[1], talk, tmp_path / "out.mp4", **given)
    assert (report["frames"], report["mode"], report["warnings"]) == (3, motion, [])
    with read_video(tmp_path / "out.mp4") as film:
        assert film.size == found.photo.size


def test_points_that_are_found_need_no_maps_and_no_fit_of_frames(album, found, tmp_path, talk):
    torch.manual_seed(0)
    ways = {"keypoints": "learned", "depth": "learned", "blend": True}
    made = make_generator("dagan", resolution=SIDE, width=4, **ways).eval()
    save_generator(tmp_path / "generator.safetensors", made)
    given = {"generator": tmp_path, "crop_only": True, "sound": "none", "label": False}
    report = reenact_photo(album[1], talk, tmp_path / "out.mp4", **given)
    assert (report["frames"], report["mode"]) == (3, "relative")
    run = photo_run(found, tmp_path, load_generator(tmp_path / "generator.safetensors"))
    assert run.photos[0].maps.shape[-1] == 0
    torch.testing.assert_close(run.relative(run.own, run.own), run.own, rtol=0, atol=1e-5)


@pytest.mark.refusal
def test_points_that_are_found_by_the_depth_of_a_fit_drive_nothing(found, tmp_path):
    made = make_generator("dagan", resolution=SIDE, width=4, keypoints="learned").eval()
    with pytest.raises(ModelError, match="which frames of a driver have not; train with --keyp"):
        photo_run(found, tmp_path, made)


@pytest.mark.refusal
def test_without_a_bridge_names_do_not_drive(album, found, latent, tmp_path, monkeypatch):
    run = photo_run(found, tmp_path, load_generator(latent / "generator.safetensors"))
    with pytest.raises(MissingFileError, match="has no bridge from parameters to its motion"):
        next(run.frames(found.faces[0].parameters))
    with pytest.raises(ParameterError, match="a lia generator takes one photo, got 2; several are"):
        open_photo(album[1], latent, more=[album[2]])
    monkeypatch.setattr(oneshot, "fit_photo", lambda *_, **__: found)
    with pytest.raises(ParameterError, match="motion must be one of relative, absolute, got 'odd'"):
        reenact_photo(album[1], "a.mp4", tmp_path / "b.mp4", generator=latent, motion="odd")


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
