"""What lips and jaw do for each sound of speech, as weights of the 52 ARKit expressions.

Vowels follow from where the chart of the International Phonetic Association (2020) has them: the
jaw opens as the tongue falls (Lindblom and Sundberg 1971), lips round or spread with back and
front. Consonants go by where they are made, in the classes of Fisher (1968), who first told which
sounds look alike; how strongly a sound insists on its shape, by Cohen and Massaro (1993): labials
on the lips, sibilants on the jaw, those made at the velum or below on neither.
"""

from dataclasses import dataclass, field

from morphface.edit.presets import ARKIT_NAMES

__all__ = ["CONSONANTS", "ROUNDING", "VOWELS", "Viseme", "both", "viseme_of"]


def both(**weights: float) -> dict[str, float]:
    """Weights by ARKit name; names that have two sides get them on both.

    Args:
        weights: by name, without the side.
    """
    return {
        whole: weight
        for name, weight in weights.items()
        for whole in (name, f"{name}Left", f"{name}Right")
        if whole in ARKIT_NAMES
    }


@dataclass(frozen=True)
class Viseme:
    """The shape of a mouth for one sound.

    Args:
        jaw: weight of `jawOpen`.
        lips: weights of what else moves the mouth, by ARKit name.
        jaw_dominance: how strongly the jaw is held against that of sounds beside it, 0 to 1.
        lip_dominance: the same of the lips.
        contact: what comes together: "lips", "teeth" (the lower lip and the upper teeth), "round"
            (lips that leave a small opening), "rest", or nothing.
        vowel: whether it opens with loudness.
    """

    jaw: float
    lips: dict[str, float] = field(default_factory=dict)
    jaw_dominance: float = 0.5
    lip_dominance: float = 0.5
    contact: str = ""
    vowel: bool = False

    @property
    def rounding_dominance(self) -> float:
        """How strongly lips are held round, or not round, against those of sounds beside it.

        Consonants that are not round have no lips of their own in this: they let those of the
        vowels beside them pass, as in "stew" and "boo" (Daniloff and Moll 1968).
        """
        careless = not (self.vowel or self.contact == "rest" or ROUNDING & self.lips.keys())
        return self.lip_dominance * (_CARELESS if careless else 1.0)


ROUNDING = frozenset({"mouthPucker", "mouthFunnel"})
"""What rounds lips."""
_CARELESS = 0.3
"""Share of its dominance with which a consonant that is not round keeps lips from it."""

VOWELS: dict[str, tuple[float, float, float]] = {
    **{"i": (0.0, 1.0, 0.0), "y": (0.0, 1.0, 1.0), "ɨ": (0.0, 0.5, 0.0), "ʉ": (0.0, 0.5, 1.0)},
    **{"ɯ": (0.0, 0.0, 0.0), "u": (0.0, 0.0, 1.0), "ɪ": (0.17, 0.8, 0.0), "ʏ": (0.17, 0.8, 1.0)},
    **{"ʊ": (0.17, 0.2, 1.0), "e": (0.33, 1.0, 0.0), "ø": (0.33, 1.0, 1.0), "ɘ": (0.33, 0.5, 0.0)},
    **{"ɵ": (0.33, 0.5, 1.0), "ɤ": (0.33, 0.0, 0.0), "o": (0.33, 0.0, 1.0), "ə": (0.5, 0.5, 0.0)},
    **{"ɛ": (0.67, 1.0, 0.0), "œ": (0.67, 1.0, 1.0), "ɜ": (0.67, 0.5, 0.0), "ʌ": (0.67, 0.2, 0.0)},
    **{"ɝ": (0.5, 0.5, 0.5), "ɚ": (0.5, 0.5, 0.4), "ɔ": (0.67, 0.0, 1.0), "æ": (0.83, 1.0, 0.0)},
    **{"ɐ": (0.83, 0.5, 0.0), "a": (1.0, 0.6, 0.0), "ɑ": (1.0, 0.0, 0.0), "ɒ": (1.0, 0.0, 0.7)},
}
"""Of each vowel: how open (0 close, 1 open), how far in front, and how round, from the chart."""

_BILABIAL = Viseme(0.02, both(mouthPress=0.2, mouthRollUpper=0.12, mouthRollLower=0.12), 0.6, 1.0)
_LABIODENTAL = Viseme(0.04, both(mouthRollLower=0.45, mouthUpperUp=0.2), 0.6, 0.9)
_DENTAL = Viseme(0.10, both(mouthLowerDown=0.15, mouthUpperUp=0.04), 0.6, 0.4)
_STOP = Viseme(0.07, both(mouthLowerDown=0.14, mouthStretch=0.06), 0.6, 0.3)
_LATERAL = Viseme(0.12, both(mouthLowerDown=0.14), 0.5, 0.25)
_SIBILANT = Viseme(0.03, both(mouthLowerDown=0.2, mouthStretch=0.18, mouthUpperUp=0.06), 0.9, 0.5)
_HUSHING = Viseme(0.05, both(mouthFunnel=0.34, mouthPucker=0.22), 0.9, 0.8)
_RHOTIC = Viseme(0.08, both(mouthPucker=0.3, mouthFunnel=0.16), 0.5, 0.5)
_BACK = Viseme(0.11, both(mouthLowerDown=0.1), 0.35, 0.1)
_OPEN = Viseme(0.12, {}, 0.1, 0.05)
_GLIDE = Viseme(0.06, both(mouthStretch=0.25, mouthSmile=0.12), 0.6, 0.5)
_ROUND = Viseme(0.04, both(mouthPucker=0.9, mouthFunnel=0.06), 0.6, 1.0)

_CLASSES = (
    ("pbmɓ", _BILABIAL, "lips"),
    ("fvɱʋ", _LABIODENTAL, "teeth"),
    ("ɸβ", _BILABIAL, "teeth"),
    ("θð", _DENTAL, ""),
    ("tdnɾɗʈɖɳ", _STOP, ""),
    ("lɫɬɮʎɽ", _LATERAL, ""),
    ("sz", _SIBILANT, ""),
    ("ʃʒɕʑʂʐ", _HUSHING, ""),
    ("ɹɻrʀʁ", _RHOTIC, ""),
    ("kɡŋɴcɟɲɣxχqçʝ", _BACK, ""),
    ("hɦħ", _OPEN, ""),
    ("jɰ", _GLIDE, ""),
    ("wʍɥ", _ROUND, "round"),
)


def _touching(viseme: Viseme, contact: str) -> Viseme:
    return Viseme(
        viseme.jaw, viseme.lips, viseme.jaw_dominance, viseme.lip_dominance, contact=contact
    )


CONSONANTS: dict[str, Viseme] = {
    letter: _touching(shape, contact) for letters, shape, contact in _CLASSES for letter in letters
}
"""The shape of each consonant."""

_JAW = (0.06, 0.26)
"""Jaw of the closest vowels, and what the most open ones add: 2 and 12 mm between the teeth of the
open head, as Lindblom and Sundberg (1971) measured of speakers."""


def _vowel(openness: float, front: float, round_: float) -> Viseme:
    spread = (1.0 - round_) * front * (1.0 - 0.6 * openness)
    lips = both(
        mouthLowerDown=(1.0 - 0.7 * round_) * (0.12 + 0.1 * openness),
        mouthUpperUp=(1.0 - round_) * 0.06,
        mouthStretch=0.26 * spread,
        mouthSmile=0.14 * spread,
        mouthPucker=round_ * (0.85 - 0.6 * openness),
        mouthFunnel=round_ * (0.1 + 0.3 * openness),
    )
    lip_dominance = 0.45 + 0.35 * max(round_, spread)
    contact = "round" if round_ == 1.0 and openness == 0.0 else ""
    jaw = _JAW[0] + _JAW[1] * openness
    return Viseme(jaw, lips, 0.6, lip_dominance, contact, vowel=True)


_VISEMES = CONSONANTS | {letter: _vowel(*place) for letter, place in VOWELS.items()}


def viseme_of(letter: str) -> Viseme | None:
    """The shape of a mouth for a letter of IPA; None for one that has none.

    Args:
        letter: one sound; diphthongs and affricates are several.
    """
    return _VISEMES.get(letter)
