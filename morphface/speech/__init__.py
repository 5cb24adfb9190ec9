"""Sound in, features and timed phonemes out."""

from typing import TYPE_CHECKING

from morphface.core.doors import lazy_names

if TYPE_CHECKING:
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

_HOMES = {
    "DESCRIPTORS": "descriptors",
    "Phoneme": "phonemes",
    "RATE": "phonemes",
    "RECOGNISERS": "recognisers",
    "Recogniser": "phonemes",
    "SYMBOLS": "features",
    "Speech": "listen",
    "Voice": "voice",
    "arpabet_to_ipa": "alphabet",
    "find_recogniser": "recognisers",
    "has_espeak": "espeak",
    "ipa_letters": "alphabet",
    "ipa_to_arpabet": "alphabet",
    "listen": "listen",
    "load_phonemes": "labels",
    "low_level_features": "features",
    "phoneme_features": "features",
    "save_phonemes": "labels",
    "say": "espeak",
    "speech_features": "features",
}

__getattr__ = lazy_names(__name__, _HOMES)
