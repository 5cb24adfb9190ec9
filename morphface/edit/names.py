"""What to say when a name is not known."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["unknown"]

_MOST = 4


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """One sentence: there is none of this name, and which might have been meant.

    Args:
        kind: what was named, such as "preset".
        name: that was given.
        known: all that there are.
    """
    names = list(known)
    lower = {candidate.lower(): candidate for candidate in names}
    close = [c for c in names if c.lower().startswith(name.lower())] if name else []
    close += [lower[c] for c in get_close_matches(name.lower(), lower, n=_MOST, cutoff=0.6)]
    close = list(dict.fromkeys(close))[:_MOST]
    if close:
        return f"no {kind} is called {name!r}: did you mean {' or '.join(close)}?"
    return f"no {kind} is called {name!r}; there are {', '.join(names)}"
