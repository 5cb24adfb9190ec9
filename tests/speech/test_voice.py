import pytest
import torch

from morphface.speech.voice import Voice, loudness_of, pitch_of, speaking
from tests.speech.sounds import silence, tone


@pytest.mark.parametrize("hertz", [80.0, 150.0, 320.0])
def test_a_tone_has_its_pitch_and_its_loudness(hertz):
    samples = tone(0.5, hertz, size=0.5)
    inside = slice(5, 45)
    torch.testing.assert_close(
        pitch_of(samples)[inside], torch.full((40,), hertz), rtol=0.02, atol=0
    )
    assert float(loudness_of(tone(1.0, 200.0, 0.5)).median()) == pytest.approx(-9.03, abs=0.1)


def test_noise_and_silence_have_no_pitch(rng):
    noise = torch.randn(16_000, generator=rng) * 0.2
    assert (pitch_of(noise) > 0).float().mean() < 0.1
    assert not pitch_of(silence(0.5)).any()
    assert (loudness_of(silence(0.5)) == -120).all()


def test_a_voice_speaks_between_pauses_and_a_click_is_none():
    sound = torch.cat([silence(0.5), tone(0.5), silence(0.1), tone(0.5), silence(0.6)])
    sound[32_000 + 400] = 1.0
    voice = Voice.of(loudness_of(sound), pitch_of(sound))
    assert voice.speaks[52:158].all()
    assert not voice.speaks[:48].any()
    assert not voice.speaks[163:].any()
    assert len(speaking(torch.zeros(0))) == 0


def test_sounds_of_any_length_have_as_many_pitches_as_loudnesses():
    for count in (1, 159, 160, 161, 5001):
        assert len(pitch_of(torch.rand(count))) == len(loudness_of(torch.rand(count)))
