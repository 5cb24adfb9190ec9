"""Sound in, features and timed phonemes out."""

from morphface.speech.alphabet import arpabet_to_ipa, ipa_letters, ipa_to_arpabet
from morphface.speech.descriptors import DESCRIPTORS
from morphface.speech.espeak import has_espeak, say
from morphface.speech.features import (
    SYMBOLS,
    low_level_features,
    phoneme_features,
    speech_features,
)
from morphface.speech.labels import load_phonemes, save_phonemes
from morphface.speech.listen import Speech, listen
from morphface.speech.phonemes import RATE, Phoneme, Recogniser
from morphface.speech.recognisers import RECOGNISERS, find_recogniser
from morphface.speech.voice import Voice

__all__ = [
    "DESCRIPTORS",
    "RATE",
    "RECOGNISERS",
    "SYMBOLS",
    "Phoneme",
    "Recogniser",
    "Speech",
    "Voice",
    "arpabet_to_ipa",
    "find_recogniser",
    "has_espeak",
    "ipa_letters",
    "ipa_to_arpabet",
    "listen",
    "load_phonemes",
    "low_level_features",
    "phoneme_features",
    "save_phonemes",
    "say",
    "speech_features",
]
