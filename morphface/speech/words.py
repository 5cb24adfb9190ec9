"""Words of a text as they are spoken: lower case, no punctuation."""

import re

from morphface.core.errors import ParameterError

__all__ = ["words_of"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text, in order, in lower case.

    Args:
        text: with any punctuation.

    Raises:
        ParameterError: there is none.
    """
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if not words:
        raise ParameterError(f"text must have words, got {text!r}; leave it out if it is unknown")
    return words
