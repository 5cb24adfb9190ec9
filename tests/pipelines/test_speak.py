"""From a portrait and a sound to a film or a track."""

import av
import pytest
import torch

from morphface.cli import run
from morphface.core.errors import MorphfaceError
from morphface.edit import Manner
from morphface.edit.openings import openings_of
from morphface.geometry.camera import Camera
from morphface.media import read_sound, read_video, write_sound
from morphface.models import load_model
from morphface.parameters import FaceParameters, Track, load_track, save_parameters
from morphface.pipelines import actors
from morphface.pipelines.actors import Actor
from morphface.pipelines.speak import Script, Showing, speak_files
from morphface.pipelines.speak.dub import _mouth_share, dubbed
from morphface.speech import Phoneme, Speech, save_phonemes
from tests.pipelines.rendered_dataset import talking
from tests.speech.sounds import silence, steady_voice, tone

SAID = (Phoneme("m", 0.1, 0.2), Phoneme("ɑ", 0.2, 0.36), Phoneme("p", 0.36, 0.46))


@pytest.fixture
def said(tmp_path):
    """A sound of half a second, and the phonemes in it."""
    write_sound(tmp_path / "said.wav", torch.cat([silence(0.1), tone(0.4)]))
    save_phonemes(tmp_path / "said.txt", SAID)
    face = FaceParameters.neutral()
    save_parameters(tmp_path / "face.npz", face, Camera.facing((120, 160)), model="open-head")
    return tmp_path


@pytest.fixture
def photo(known, monkeypatch):
    """A photo whose face is known without a fit."""
    monkeypatch.setattr(actors, "fit_photo", lambda *_, **__: known)
    return "known.png"


def spoken(folder, out, portrait="face.npz", **more):
    name = folder / portrait if portrait.endswith(".npz") else portrait
    script = Script(phonemes=folder / "said.txt")
    return speak_files(name, folder / "said.wav", folder / out, script=script, **more)


def test_a_track_says_what_was_said_and_by_whom(said):
    report = spoken(said, "out.npz", manner=Manner(liveliness=0.0), showing=Showing(rate=50.0))
    track, header = load_track(said / "out.npz")
    assert track.frames == report["frames"] == 25
    torch.testing.assert_close(track.times, torch.arange(25, dtype=torch.float64) / 50)
    assert header["extra"]["video"] == str((said / "said.wav").resolve())
    assert header["extra"]["speech"]["phonemes"] == 3
    gap = openings_of(track.parameters, load_model("open-head")).gaps[:, 2]
    assert gap[[7, 20]].max() < 1.0
    assert gap[13] > 4.0


def test_a_photo_speaks_in_a_film_with_the_sound_that_says_it_was_made(said, photo):
    still = Manner(liveliness=0.0)
    report = spoken(said, "out.mp4", photo, manner=still, showing=Showing(rate=8.0, label=False))
    with read_video(said / "out.mp4") as video:
        frames = [frame.photo.pixels for frame in video]
    assert len(frames) == report["frames"] == 4
    assert (frames[1] - frames[2]).abs().max() > 0.1
    heard = read_sound(said / "out.mp4")
    assert heard[:1500].abs().max() < 0.05 < heard[2500:7000].abs().max()
    with av.open(str(said / "out.mp4")) as made:
        assert "synthesised_by=morphface" in made.metadata["comment"]


def test_the_command_line_speaks(said, capsys):
    command = ["speak", str(said / "face.npz"), str(said / "said.wav"), "-o", str(said / "a.mp4")]
    more = ["--phonemes", str(said / "said.txt"), "--track-only", "--preset", "smile=0.5"]
    more += ["--write-phonemes", str(said / "again.txt")]
    assert run([*command, *more]) == 0
    assert "3 phonemes, heard by" in capsys.readouterr().err
    assert (said / "again.txt").read_text() == (said / "said.txt").read_text()
    assert load_track(said / "a.npz")[1]["extra"]["speech"]["manner"]["preset"] == {"smile": 0.5}


def test_sound_without_a_pause_is_told(said):
    write_sound(said / "said.wav", tone(6.0, size=0.5) * (1 + torch.rand(96_000) * 0.01))
    assert "has no pauses" in spoken(said, "out.npz")["warnings"][0]


def test_a_dubbed_person_keeps_all_but_the_mouth():
    model, (_, face) = load_model("open-head"), talking(10)
    nothing = torch.full((10, 5), torch.nan)
    parts = torch.zeros(10).long(), torch.arange(10).double() / 25, torch.arange(10)
    track = Track(face, Camera.facing((120, 160)), *parts, nothing[:, 0], nothing[:, 1:])
    actor = Actor("clip.mp4", "video", face, track.camera, model, rate=25.0, track=track)
    speech = Speech(SAID, steady_voice(0.6), 0.6)
    moved, rows = dubbed(actor, track, speech, 25.0, Manner())
    assert rows.tolist() == [*range(10), *range(8, 2, -1)][:15]
    assert torch.equal(moved.parameters.rotation, face.rotation[rows])
    assert torch.equal(moved.parameters.gaze, face.gaze[rows])
    change = (moved.parameters.expression - face.expression[rows]).abs().amax(dim=0)
    names = model.expression.names
    assert change[names.index("jawOpen")] > 0.05
    assert all(change[k] == 0 for k, name in enumerate(names) if name.startswith(("brow", "eye")))
    assert openings_of(moved.parameters, model).gaps[[3, 4, 10], 2].min() < 1.0


def test_a_dub_changes_nothing_far_from_the_mouth(known):
    points = known.faces[0].predicted
    share = _mouth_share(points, 256)
    row, column = (int(v) for v in points[13].flip(0))
    assert share[row, column] == 1
    left, top = points.amin(dim=0).long().tolist()
    assert share[top, :].max() == share[:, left].max() == 0


@pytest.mark.refusal
def test_what_cannot_speak_is_refused(said, photo):
    with pytest.raises(MorphfaceError, match="is a film of the portrait, which must then be"):
        spoken(said, "out.mp4")
    with pytest.raises(MorphfaceError, match="it is an input; choose another name"):
        spoken(said, "face.npz")
    with pytest.raises(MorphfaceError, match="give a file of sound, or a text to say"):
        speak_files(photo, None, said / "out.npz")
    with pytest.raises(MorphfaceError, match="give text or phonemes, not both"):
        Script(text="hello", phonemes=said / "said.txt")
    with pytest.raises(MorphfaceError, match="rate must be from 1 to 240"):
        Showing(rate=0.5)
    with pytest.raises(MorphfaceError, match="size is for films of photos; a video and a run"):
        speak_files("a.mp4", said / "said.wav", said / "b.mp4", showing=Showing(size=64))
    with pytest.raises(MorphfaceError, match="size must be at least 32"):
        Showing(size=3)
    write_sound(said / "said.wav", silence(1.0))
    with pytest.raises(MorphfaceError, match="no speech is heard in the sound"):
        speak_files(said / "face.npz", said / "said.wav", said / "out.npz")
    assert run(["speak", "a.png", str(said / "no.wav"), "-o", "b.mp4", "--preset", "smile=x"]) == 2
