"""A voice for the notebooks: a buzz through formants, where no synthetic voice is installed.

No recording of speech is small and free enough to come with morphface. This is enough to see what
moves when: vowels differ in their formants (Peterson and Barney 1952), closures are silent.
"""

import numpy as np
import torch
from scipy.signal import lfilter

from morphface.speech import RATE, Phoneme

FORMANTS = {
    **{"ɑ": (730, 1090), "i": (270, 2290), "u": (300, 870), "o": (450, 880), "ʌ": (640, 1190)},
    **{"m": (250, 1000), "w": (290, 610), "l": (380, 880), "j": (260, 2070), "ð": (300, 1300)},
}
"""The first two formants in hertz; sounds without are silent."""
SENTENCE = (
    *(("m", 0.09), ("ɑ", 0.16), ("i", 0.08), ("m", 0.08), ("ʌ", 0.12), ("ð", 0.06), ("ʌ", 0.14)),
    *(("b", 0.07), ("ɑ", 0.16), ("i", 0.09), ("b", 0.07), ("l", 0.07), ("u", 0.18)),
    *(("b", 0.07), ("o", 0.18), ("l", 0.16)),
)
"""Phonemes and their lengths in seconds."""
PITCH = 110.0


def hum(sentence=SENTENCE, lead=0.3):
    """Samples and phonemes of a sentence, after some silence and before some more."""
    now, pieces, phonemes = lead, [np.zeros(round(lead * RATE))], []
    for symbol, length in sentence:
        count = round(length * RATE)
        pieces.append(_sound(FORMANTS.get(symbol), count, now))
        phonemes.append(Phoneme(symbol, now, now + length))
        now += length
    samples = np.concatenate([*pieces, np.zeros(round(lead * RATE))])
    return torch.from_numpy(0.5 * samples / np.abs(samples).max()).float(), tuple(phonemes)


def _sound(formants, count, now):
    """Pulses of the voice, filtered."""
    time = now + np.arange(count) / RATE
    pulses = np.diff(np.floor(time * PITCH), prepend=np.floor(now * PITCH))
    for middle in formants or ():
        radius, angle = np.exp(-np.pi * 90.0 / RATE), 2.0 * np.pi * middle / RATE
        pulses = lfilter([1.0], [1.0, -2.0 * radius * np.cos(angle), radius**2], pulses)
    return pulses * np.hanning(count) if formants else np.zeros(count)
