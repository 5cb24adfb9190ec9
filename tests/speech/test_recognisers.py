"""Recognisers against espeak-ng, which knows what it says, and on a real voice."""

from importlib.util import find_spec

import numpy as np
import pytest

from morphface.core.errors import MissingDependencyError, ParameterError
from morphface.media import read_sound
from morphface.speech import espeak, find_recogniser, has_espeak, pocket, say
from morphface.speech.words import words_of
from tests.data import shared

SENTENCE = "and you always want to see it in the superlative degree"
needs_pocket = pytest.mark.skipif(find_spec("pocketsphinx") is None, reason="no pocketsphinx")
needs_espeak = pytest.mark.skipif(not has_espeak(), reason="espeak-ng is not installed")


@pytest.fixture(scope="module")
def voice():
    return read_sound(shared("audio/arctic_a0007.wav"))


@needs_pocket
def test_a_known_text_is_put_to_a_real_voice(voice):
    found = find_recogniser("auto", text=True)(voice, SENTENCE)
    said = "".join(p.symbol for p in found)
    assert said.startswith("ændjuɔlw")
    assert said.endswith("dɪɡɹi")
    closed = next(p for p in found if p.symbol == "p")  # of "superlative"
    assert closed.start == pytest.approx(2.31, abs=0.04)
    assert closed.end == pytest.approx(2.47, abs=0.04)


@pytest.mark.parametrize("name", [pytest.param("pocketsphinx-phones", marks=needs_pocket), "hama"])
def test_most_of_a_real_voice_is_heard(voice, name):
    if name == "hama" and find_spec("hama") is None:
        pytest.skip("hama is not installed")
    found = find_recogniser(name)(voice)
    assert 25 <= len(found) <= 55
    assert all(a.end <= b.start + 1e-9 for a, b in zip(found, found[1:], strict=False))
    heard = "".join(p.symbol for p in found)
    assert sum(letter in heard for letter in "mnstpiɹlwv") >= 8


@needs_pocket
@needs_espeak
def test_boundaries_of_a_synthetic_voice_are_found():
    samples, told = say("the box was thrown beside the parked truck")
    found = find_recogniser("pocketsphinx")(samples, "the box was thrown beside the parked truck")
    starts = np.array([p.start for p in found])
    away = [np.abs(starts - p.start).min() for p in told]
    assert np.median(away) < 0.02


@needs_espeak
def test_a_synthetic_voice_says_phonemes_in_its_sound():
    samples, told = say("mama", "en-us")
    assert [p.symbol[0] for p in told][:3] == ["m", "ɑ", "m"]
    assert 0.2 < told[-1].end <= len(samples) / 16_000 + 1e-3
    with pytest.raises(ParameterError, match="espeak-ng has no voice 'klingon-x'"):
        say("mama", "klingon-x")
    with pytest.raises(ParameterError, match="text must have 1 to"):
        say("  ")


@needs_pocket
@pytest.mark.refusal
def test_texts_that_cannot_be_said_are_refused(voice):
    listener = find_recogniser("pocketsphinx")
    with pytest.raises(ParameterError, match="the dictionary of pocketsphinx lacks qwrtz, xyzzy"):
        listener(voice, "say xyzzy and qwrtz")
    with pytest.raises(ParameterError, match="the text does not match what is said"):
        listener(voice[:8000], f"{SENTENCE} {SENTENCE} {SENTENCE}")
    with pytest.raises(ParameterError, match="text must have words"):
        words_of("... !")


@pytest.mark.refusal
def test_what_is_not_installed_is_named(monkeypatch, voice):
    monkeypatch.setattr(pocket, "find_spec", lambda _: None)
    monkeypatch.setattr(espeak, "find_library", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'morphface\[speech\]'"):
        find_recogniser("pocketsphinx")(voice)
    with pytest.raises(MissingDependencyError, match="apt install espeak-ng"):
        say("hello")
