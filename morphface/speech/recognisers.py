"""Recognisers by name, and which one is best here."""

from collections.abc import Callable

from morphface.core.errors import ParameterError
from morphface.speech.hama import Hama, has_hama
from morphface.speech.phonemes import Recogniser
from morphface.speech.pocket import Aligner, PocketPhones, PocketWords

__all__ = ["RECOGNISERS", "find_recogniser"]

RECOGNISERS: dict[str, Callable[[], Recogniser]] = {
    "hama": lambda: Hama(Aligner()),
    "pocketsphinx": PocketWords,
    "pocketsphinx-phones": PocketPhones,
}
"""What makes each recogniser."""


def find_recogniser(name: str = "auto", *, text: bool = False) -> Recogniser:
    """A recogniser by its name.

    Args:
        name: of `RECOGNISERS`, or "auto": hama where it is installed, else pocketsphinx.
        text: whether it shall take a text, for which "auto" is pocketsphinx.

    Raises:
        ParameterError: there is none of this name.
    """
    if name == "auto":
        name = "hama" if has_hama() and not text else "pocketsphinx"
    if name not in RECOGNISERS:
        raise ParameterError(f"there is no recogniser {name!r}; use auto, {', '.join(RECOGNISERS)}")
    return RECOGNISERS[name]()
