"""Sentences whose phonemes are known, and how far found ones are from them."""

import numpy as np

from morphface.speech import ipa_letters

__all__ = ["SENTENCES", "VOICES", "classes", "compared"]

VOICES = ("en-us", "en-us+f3", "gmw/en")
"""A man, a woman, and a British man."""
_LISTS = """
The birch canoe slid on the smooth planks / Glue the sheet to the dark blue background
It is easy to tell the depth of a well / These days a chicken leg is a rare dish
Rice is often served in round bowls / The juice of lemons makes fine punch
The box was thrown beside the parked truck / The hogs were fed chopped corn and garbage
Four hours of steady work faced us / A large size in stockings is hard to sell
The boy was there when the sun rose / A rod is used to catch pink salmon
The source of the huge river is the clear spring / Kick the ball straight and follow through
Help the woman get back to her feet / A pot of tea helps to pass the evening
Smoky fires lack flame and heat / The soft cushion broke the man's fall
The salt breeze came across from the sea / The girl at the booth sold fifty bonds
The small pup gnawed a hole in the sock / The fish twisted and turned on the bent hook
Press the pants and sew a button on the vest / The swan dive was far short of perfect
The beauty of the view stunned the young boy / Two blue fish swam in the tank
Her purse was full of useless trash / The colt reared and threw the tall rider
It snowed rained and hailed the same morning / Read verse out loud for pleasure
"""
SENTENCES = tuple(
    part.strip() for line in _LISTS.strip().splitlines() for part in line.split(" / ")
)
"""The first 30 of the Harvard sentences (IEEE 1969)."""
_CLASSES = (
    *("pb", "m", "fv", "θð", "td", "nŋ", "szlɾɹ", "ʃʒ", "kɡhj", "w"),
    *("iɪ", "eɛæ", "ɑaɒʌəɐ", "oɔ", "uʊ", "ɝɜɚ"),
)
_CLASS = {letter: letters for letters in _CLASSES for letter in letters}
_AWAY = 0.5
"""Cost of pairing what is a second apart, in edits, so that what is near is paired."""


def classes(phonemes):
    """The class and start of each letter."""
    out = []
    for one in phonemes:
        letters = ipa_letters(one.symbol)
        step = (one.end - one.start) / max(1, len(letters))
        out += [(_CLASS.get(c, c), one.start + k * step) for k, c in enumerate(letters)]
    return out


def compared(truth, found):
    """Boundary errors in seconds of what was heard right, edits, and how many there are."""
    cost = np.zeros((len(truth) + 1, len(found) + 1))
    cost[:, 0], cost[0] = np.arange(len(truth) + 1), np.arange(len(found) + 1)
    for i, (name, start) in enumerate(truth, 1):
        for j, (other, at) in enumerate(found, 1):
            pair = (name != other) + _AWAY * min(1.0, abs(start - at))
            cost[i, j] = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, cost[i - 1, j - 1] + pair)
    i, j, errors, edits = len(truth), len(found), [], 0
    while i and j:
        (name, start), (other, at) = truth[i - 1], found[j - 1]
        pair = (name != other) + _AWAY * min(1.0, abs(start - at))
        if np.isclose(cost[i, j], cost[i - 1, j - 1] + pair):
            edits += name != other
            errors += [at - start] if name == other else []
            i, j = i - 1, j - 1
        elif np.isclose(cost[i, j], cost[i - 1, j] + 1):
            edits, i = edits + 1, i - 1
        else:
            edits, j = edits + 1, j - 1
    return errors, int(edits) + i + j, len(truth)
