"""Phonetic alphabets: ARPAbet, which English dictionaries use, and the letters of IPA."""

import unicodedata

__all__ = ["arpabet_to_ipa", "ipa_letters", "ipa_to_arpabet"]

_ARPABET = {
    **{"AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AY": "aɪ", "B": "b", "CH": "tʃ"},
    **{"D": "d", "DH": "ð", "EH": "ɛ", "ER": "ɝ", "EY": "eɪ", "F": "f", "G": "ɡ", "HH": "h"},
    **{"IH": "ɪ", "IY": "i", "JH": "dʒ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ"},
    **{"OW": "oʊ", "OY": "ɔɪ", "P": "p", "R": "ɹ", "S": "s", "SH": "ʃ", "T": "t", "TH": "θ"},
    **{"UH": "ʊ", "UW": "u", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ"},
}
_NEAREST = {
    **{"p": "P", "b": "B", "m": "M", "ɓ": "B", "f": "F", "v": "V", "ɸ": "F", "β": "V", "ʋ": "V"},
    **{"ɱ": "M", "θ": "TH", "ð": "DH", "t": "T", "d": "D", "n": "N", "s": "S", "z": "Z", "l": "L"},
    **{"ɫ": "L", "ʎ": "L", "ɬ": "L", "ɮ": "L", "r": "R", "ɾ": "D", "ɹ": "R", "ɻ": "R", "ɽ": "R"},
    **{"ʃ": "SH", "ʒ": "ZH", "ɕ": "SH", "ʑ": "ZH", "ʂ": "SH", "ʐ": "ZH", "ʈ": "T", "ɖ": "D"},
    **{"ɗ": "D", "ɲ": "N", "ɳ": "N", "ŋ": "NG", "ɴ": "NG", "c": "K", "ɟ": "G", "k": "K", "ɡ": "G"},
    **{"ɣ": "G", "x": "HH", "χ": "HH", "ʁ": "R", "ʀ": "R", "h": "HH", "ɦ": "HH", "ħ": "HH"},
    **{"ç": "HH", "ʝ": "Y", "j": "Y", "ɥ": "Y", "w": "W", "ɰ": "W", "q": "K", "ʍ": "W"},
    **{"i": "IY", "y": "UW", "ɨ": "IH", "ʉ": "UW", "ɯ": "UH", "u": "UW", "ɪ": "IH", "ʏ": "UH"},
    **{"ʊ": "UH", "e": "EH", "ø": "ER", "ɘ": "AH", "ɵ": "UH", "ɤ": "AH", "o": "OW", "ə": "AH"},
    **{"ɛ": "EH", "œ": "ER", "ɜ": "ER", "ɝ": "ER", "ɚ": "ER", "ʌ": "AH", "ɔ": "AO", "æ": "AE"},
    **{"ɐ": "AH", "a": "AA", "ɑ": "AA", "ɒ": "AA"},
}
_PAIRS = {ipa: name for name, ipa in _ARPABET.items() if len(ipa) > 1}
_SAME = {"g": "ɡ", "ᵻ": "ɪ", "ᵊ": "ə", "ʦ": "ts", "ʧ": "tʃ", "ʤ": "dʒ", "ʣ": "dz"}


def arpabet_to_ipa(name: str) -> str:
    """The IPA symbol of one of ARPAbet's 39, stress marks aside; empty for any other.

    Args:
        name: such as "AA1" or "CH".
    """
    return _ARPABET.get(name.rstrip("012").upper(), "")


def ipa_to_arpabet(symbol: str) -> tuple[str, ...]:
    """The symbols of ARPAbet that come nearest to one of IPA; none for one that is unknown.

    Args:
        symbol: of IPA, with or without marks.
    """
    letters = ipa_letters(symbol)
    if letters in _PAIRS:
        return (_PAIRS[letters],)
    return tuple(_NEAREST[letter] for letter in letters if letter in _NEAREST)


def ipa_letters(symbol: str) -> str:
    """The letters of a symbol, its marks of length, stress, tone and colour left out.

    Args:
        symbol: of IPA, such as "t͡ʃʰ", of which the letters are "tʃ".
    """
    plain = unicodedata.normalize("NFD", symbol.replace("ç", "\0")).replace("\0", "ç")
    known = "".join(_SAME.get(letter, letter) for letter in plain)
    return "".join(letter for letter in known if letter in _NEAREST)
