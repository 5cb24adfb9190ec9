"""The 300 features against plain loops over one window, and their times against clicks."""

import numpy as np
import pytest
import torch

from morphface.core.errors import ParameterError
from morphface.speech import (
    DESCRIPTORS,
    RATE,
    SYMBOLS,
    Phoneme,
    low_level_features,
    phoneme_features,
    speech_features,
)
from morphface.speech.descriptors import descriptors_of


def one_by_one(window, before):
    """The first eight descriptors of a window, written out."""
    count = len(window) // 2
    spectrum = np.abs(np.fft.fft(window))[:count] / count
    past = np.abs(np.fft.fft(before))[:count] / count
    crossings = sum(abs(np.sign(b) - np.sign(a)) for a, b in zip(window, window[1:], strict=False))

    def entropy(values):
        size = len(values) // 10
        parts = [sum(values[k * size : (k + 1) * size] ** 2) for k in range(10)]
        shares = np.array(parts) / sum(values**2)
        return -sum(share * np.log2(share) for share in shares)

    hertz = [(k + 1) * RATE / 2 / count for k in range(count)]
    centre = sum(f * s for f, s in zip(hertz, spectrum, strict=True)) / sum(spectrum)
    off = [(f - centre) ** 2 * s for f, s in zip(hertz, spectrum, strict=True)]
    flux = sum((spectrum / sum(spectrum) - past / sum(past)) ** 2)
    power, limit = 0.0, 0.9 * sum(spectrum**2)
    for rolloff in range(count):
        power += spectrum[rolloff] ** 2
        if power > limit:
            break
    return [
        *(crossings / 2 / (len(window) - 1), np.mean(window**2), entropy(window)),
        *(centre / (RATE / 2), np.sqrt(sum(off) / sum(spectrum)) / (RATE / 2), entropy(spectrum)),
        *(flux, rolloff / count),
    ]


def test_descriptors_are_what_plain_loops_say(rng):
    windows = torch.randn(3, 320, generator=rng).cumsum(dim=1)
    windows -= windows.mean(dim=1, keepdim=True)
    found = descriptors_of(windows)
    assert found.shape == (3, len(DESCRIPTORS)) == (3, 21)
    for k in (1, 2):
        want = one_by_one(windows[k].double().numpy(), windows[k - 1].double().numpy())
        np.testing.assert_allclose(found[k, :8], want, rtol=1e-4, atol=1e-6)


def test_a_louder_sound_changes_only_the_first_cepstral_coefficient(rng):
    windows = torch.randn(2, 320, generator=rng)
    change = descriptors_of(3.0 * windows)[0, 8:] - descriptors_of(windows)[0, 8:]
    assert float(change[0]) == pytest.approx(np.sqrt(40) * np.log10(3.0), rel=1e-3)
    assert change[1:].abs().max() < 1e-4


@pytest.mark.parametrize("rate", [23.976, 25.0, 29.97, 60.0])
def test_a_click_is_in_the_eight_frames_about_it_and_in_no_other(rate):
    samples = torch.zeros(round(4.0 * RATE))
    moment = 2.0 + 1 / 7
    samples[round(moment * RATE)] = 1.0
    energy = low_level_features(samples, rate)[:, 1]
    loud = torch.nonzero(energy > 10 * energy.median())[:, 0].tolist()
    frame = moment * rate
    wanted = [k for k in range(len(energy)) if k - 4 <= frame < k + 4]
    assert len(wanted) == 8
    assert loud == wanted
    assert len(energy) == round(4.0 * rate)


def test_clicks_do_not_drift_over_minutes():
    rate, moment = 29.97, 118.0 + 1 / 7
    samples = torch.zeros(120 * RATE)
    samples[round(moment * RATE)] = 1.0
    energy = low_level_features(samples, rate)[:, 1]
    loud = torch.nonzero(energy > 10 * energy.median())[:, 0]
    assert [int(loud[0]), int(loud[-1])] == [
        int(np.floor(moment * rate - 4)) + 1,
        int(np.floor(moment * rate + 4)),
    ]


@pytest.mark.parametrize("frames", [None, 40])
def test_features_are_the_same_in_parts(rng, monkeypatch, frames):
    samples = torch.randn(RATE, generator=rng) + 0.3
    whole = low_level_features(samples, 25.0, frames)
    monkeypatch.setattr("morphface.speech.features._TOGETHER", 7)
    torch.testing.assert_close(low_level_features(samples, 25.0, frames), whole)


def test_phonemes_fill_the_frames_in_which_they_are_said():
    said = [Phoneme("m", 0.20, 0.30), Phoneme("aɪ", 0.30, 0.50)]
    found = phoneme_features(said, 25.0, 20).view(20, 8, 27)
    torch.testing.assert_close(found.sum(dim=2), torch.ones(20, 8))
    lips, opened, front = (next(k for k, s in enumerate(SYMBOLS) if c in s) for c in "maɪ")
    middle = found[:, 4]  # of frame k itself
    torch.testing.assert_close(middle[5:8, lips], torch.tensor([1.0, 1.0, 0.5]))
    torch.testing.assert_close(middle[7:11, opened], torch.tensor([0.5, 1.0, 1.0, 0.0]))
    assert middle[10:12, front].tolist() == pytest.approx([1.0, 1.0])
    assert middle[15, -1] == 1
    assert torch.equal(found[5, 6], found[7, 4])


def test_features_are_three_hundred_a_frame(rng):
    samples = torch.randn(RATE, generator=rng)
    found = speech_features(samples, [Phoneme("a", 0.1, 0.2)], 30.0, frames=37)
    assert found.shape == (37, 300)
    assert found.isfinite().all()
    assert speech_features(torch.zeros(RATE), [], 30.0).isfinite().all()


@pytest.mark.refusal
def test_features_of_nothing_are_refused():
    with pytest.raises(ParameterError, match="samples must be one row of numbers"):
        low_level_features(torch.zeros(0), 25.0)
    with pytest.raises(ParameterError, match="rate must be from 1 to 240"):
        low_level_features(torch.zeros(100), 0.0)
    with pytest.raises(ParameterError, match="frames must be 1 or more, got 0"):
        phoneme_features([], 25.0, 0)
    with pytest.raises(ParameterError, match="samples must be finite"):
        low_level_features(torch.full((100,), torch.nan), 25.0)
