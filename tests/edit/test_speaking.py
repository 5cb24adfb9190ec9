"""Speech to motion: contacts close, vowels open in their order, the rest is lively or still."""

import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.edit import Manner, speech_curves, speech_to_motion
from morphface.edit.liveliness import Life, accents, blink_times
from morphface.edit.openings import openings_of
from morphface.edit.visemes import viseme_of
from morphface.edit.weights import with_weights
from morphface.models import load_model
from morphface.parameters import FaceParameters
from morphface.speech import Phoneme, Speech
from tests.speech.sounds import steady_voice

STEP = 0.04


def spoken(symbols, length=0.12, lead=0.3):
    """Phonemes of equal length after a silence."""
    phonemes = tuple(
        Phoneme(symbol, lead + k * length, lead + (k + 1) * length)
        for k, symbol in enumerate(symbols)
    )
    seconds = lead + len(symbols) * length + 0.4
    return Speech(phonemes, steady_voice(seconds), seconds)


def frames_of(speech):
    return torch.arange(round(speech.seconds / STEP), dtype=torch.float64) * STEP


@pytest.fixture(scope="module")
def head():
    return load_model("open-head")


@pytest.fixture
def face(head, rng):
    identity = torch.randn(1, head.identity.rank, generator=rng) * 0.5
    plain = FaceParameters.neutral()
    return FaceParameters(identity, *(getattr(plain, n) for n in REST))


REST = ("expression", "reflectance", "illumination", "rotation", "translation", "gaze")


def gaps(face, speech, head, **manner):
    manner = Manner(**({"liveliness": 0.0} | manner))
    moved = speech_to_motion(face, speech, frames_of(speech), model=head, manner=manner)
    found = openings_of(moved, head)
    return found.gaps[:, 2], moved, float(found.neutral[2])


@pytest.mark.parametrize("length", [0.03, 0.06, 0.15])
@pytest.mark.parametrize("articulation", [0.5, 1.0, 2.0])
def test_lips_meet_for_p_b_and_m_whatever_is_beside_them(face, head, length, articulation):
    speech = spoken("ɑpɑmiboɑmuɑpɛ", length)
    gap, _, _ = gaps(face, speech, head, articulation=articulation)
    times = frames_of(speech)
    for one in speech.phonemes:
        if one.symbol in "pbm":
            near = (times >= one.start - STEP) & (times <= one.end + STEP)
            assert float(gap[near].min()) < 1.0, one


@pytest.mark.parametrize("articulation", [1.0, 2.0])
def test_lips_that_touch_reach_no_farther_than_they_can(face, head, articulation):
    speech = spoken("ɑpɑbɑfɑwɑ", 0.05)
    gap, moved, _ = gaps(face, speech, head, articulation=articulation)
    free = with_weights(moved, head, {"mouthClose": torch.zeros(moved.frames)})
    reach = openings_of(free, head).gaps[:, 2] - gap
    assert 3.0 < reach.max() < 4.2
    jaw = moved.expression[:, head.expression.names.index("jawOpen")]
    assert jaw[gap < 0.5].min() > 0.02
    assert jaw[gap < 0.5].max() < 0.7 * jaw.max()


def test_lips_nearly_meet_for_f_and_rest_in_silence(face, head):
    speech = spoken("ɑfɑɑvɑ")
    gap, _, closed = gaps(face, speech, head)
    times = frames_of(speech)
    for one in speech.phonemes:
        if one.symbol in "fv":
            near = (times >= one.start) & (times <= one.end)
            assert 0.3 < float(gap[near].min()) <= 1.2 * max(closed, 0.3) + 0.05
    assert gap[:3].max() <= max(closed, 0.3) + 1e-3
    assert gap[-3:].max() <= max(closed, 0.3) + 1e-3


def test_vowels_open_as_the_tongue_falls(face, head):
    opened = {}
    for vowel in "ɑɔoui":
        gap, moved, _ = gaps(face, spoken(["t", vowel, vowel, "t"]), head)
        opened[vowel] = float(moved.expression[:, head.expression.names.index("jawOpen")].max())
        assert gap.max() > 2.0
    assert opened["ɑ"] > opened["ɔ"] > opened["o"] > max(opened["u"], opened["i"])


def test_lips_round_before_a_rounded_vowel_begins(head):
    speech = spoken("stuk")
    times = frames_of(speech)
    pucker = speech_curves(speech, times)["mouthPucker"]
    vowel = speech.phonemes[2]
    before = pucker[int((vowel.start - 0.08) / STEP)]
    assert pucker.max() > 0.5
    assert before > 0.2 * pucker.max()
    assert speech_curves(spoken("stik"), times)["mouthPucker"].max() < 0.01


def test_articulation_splits_into_jaw_and_lips():
    speech = spoken("tɑtu")
    times = frames_of(speech)
    usual = speech_curves(speech, times)
    wide = speech_curves(speech, times, Manner(jaw=0.5, lips=1.0))
    torch.testing.assert_close(wide["jawOpen"], 0.5 * usual["jawOpen"])
    torch.testing.assert_close(wide["mouthPucker"], usual["mouthPucker"])
    still = speech_curves(speech, times, Manner(articulation=0.0))
    assert all(not curve.any() for curve in still.values())


def test_loud_vowels_open_more():
    speech = spoken("tɑtttɑt")
    speech.voice.loudness[78:] += 10.0
    jaw = speech_curves(speech, frames_of(speech))["jawOpen"]
    half = len(jaw) // 2
    assert jaw[half:].max() > 1.15 * jaw[:half].max()


def test_an_hour_is_the_same_as_its_parts():
    speech = spoken("tɑpu" * 200, 0.1)
    times = frames_of(speech)
    whole = speech_curves(speech, times)["jawOpen"]
    part = speech_curves(speech, times[1500:1600])["jawOpen"]
    torch.testing.assert_close(whole[1500:1600], part, atol=1e-4, rtol=0)


def test_a_smile_stays_in_part_but_not_on_rounded_lips(head):
    names = list(head.expression.names)
    face = FaceParameters.neutral()
    face.expression[:, names.index("mouthSmileLeft")] = 0.8
    smile = {}
    for vowel in "ɑu":
        _, moved, _ = gaps(face, spoken(["t", vowel, vowel, "t"]), head)
        smile[vowel] = moved.expression[:, names.index("mouthSmileLeft")]
    assert smile["ɑ"][0] == pytest.approx(0.4, abs=0.1)
    assert smile["u"].min() < 0.05
    assert smile["ɑ"].min() > 0.3


@pytest.mark.parametrize("sounds", ["tut", "sup", "twi", "but"])
def test_lips_round_on_a_face_that_smiles(head, sounds):
    names = list(head.expression.names)
    face = FaceParameters.neutral()
    points = head.landmarks["478"].points
    rest = mouth_width(points(head.vertices(face.identity, face.expression)))
    for side in ("Left", "Right"):
        face.expression[:, names.index(f"mouthSmile{side}")] = 0.8
    speech = spoken(sounds, 0.1)
    gap, moved, closed = gaps(face, speech, head)
    round_ = next(p for p in speech.phonemes if p.symbol in "uw")
    frame = round((round_.start + round_.end) / 2 / STEP)
    wide = mouth_width(points(head.vertices(moved.identity, moved.expression)))
    assert wide[frame] < rest - 2.5
    assert gap[frame] <= max(closed, 0.3) + 2.1


def mouth_width(points):
    """Between the corners, in mm."""
    return points[:, 291, 0] - points[:, 61, 0]


def test_consonants_let_the_rounding_of_a_vowel_pass():
    times = frames_of(spoken("stut"))
    here = round(0.36 / STEP)
    pucker = {
        name: speech_curves(spoken(name), times)["mouthPucker"][here] for name in ("stut", "itut")
    }
    assert viseme_of("s").rounding_dominance < viseme_of("s").lip_dominance
    assert viseme_of("i").rounding_dominance == viseme_of("i").lip_dominance
    assert pucker["stut"] > 1.3 * pucker["itut"]


def test_a_preset_lies_under_the_speech(face, head):
    names = list(head.expression.names)
    speech = spoken("tɑpɑ")
    gap, moved, _ = gaps(face, speech, head, preset={"smile": 1.0})
    assert moved.expression[:, names.index("mouthSmileLeft")].min() > 0.3
    assert moved.expression[:, names.index("cheekSquintRight")].min() > 0.3
    assert gap.min() < 1.0


def test_without_liveliness_nothing_but_the_mouth_moves(face, head):
    _, moved, _ = gaps(face, spoken("tɑpu"), head)
    assert torch.equal(moved.rotation, face.rotation.expand_as(moved.rotation))
    upper = [k for k, n in enumerate(head.expression.names) if n.startswith(("eye", "brow"))]
    assert not moved.expression[:, upper].any()


def test_chance_is_seeded_and_more_life_moves_more(face, head):
    speech = spoken("tɑpu" * 8)
    runs = [
        gaps(face, speech, head, liveliness=life, seed=seed)[1].rotation
        for life, seed in ((1.0, 3), (1.0, 3), (1.0, 4), (2.0, 3))
    ]
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])
    assert runs[3].norm() > 1.5 * runs[0].norm()
    assert float(runs[0].norm(dim=1).max()) < 0.2


def test_people_blink_some_seventeen_times_a_minute_and_in_pauses():
    phonemes = tuple(Phoneme("a", k, k + 0.9) for k in range(600) if k % 7)
    speech = Speech(phonemes, steady_voice(600.0), 600.0)
    blinks = blink_times(speech, Life())
    assert 12 <= len(blinks) / 10 <= 24
    steps = torch.tensor(blinks).diff()
    assert steps.min() >= 1.0
    inside = [b for b in blinks if b % 7 < 1.0 or b % 7 > 6.9]
    assert len(inside) / len(blinks) > 1.5 * 1.1 / 7


def test_an_accent_is_where_pitch_and_loudness_rise():
    voice = steady_voice(4.0)
    voice.pitch[195:206] = 170.0
    voice.loudness[195:206] += 6.0
    times = torch.arange(100, dtype=torch.float64) * STEP
    found = accents(voice, times, 4.0)
    assert int(found.argmax()) == 50
    assert found.max() > 0.5
    assert not found[:40].any()


def test_every_letter_of_english_has_a_shape():
    for letter in "pbmfvθðtdnszlɹʃʒkɡŋhjwiɪeɛæɑɔoʊuʌəɝɚa":
        assert viseme_of(letter) is not None


@pytest.mark.refusal
def test_manners_out_of_range_are_refused(face, head):
    with pytest.raises(ParameterError, match="jaw must be from 0 to 2, got 3"):
        Manner(jaw=3.0)
    with pytest.raises(ParameterError, match="liveliness must be from 0 to 2, got nan"):
        Manner(liveliness=float("nan"))
    with pytest.raises(ParameterError, match="no preset is called 'smirk'"):
        Manner(preset={"smirk": 1.0})
    with pytest.raises(ParameterError, match="times must rise"):
        speech_to_motion(face, spoken("ta"), torch.tensor([0.1, 0.1]), model=head)
