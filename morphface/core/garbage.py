"""How often Python looks for garbage that refers to itself."""

import gc

__all__ = ["collect_seldom"]

YOUNG = 1_000_000
"""New objects after which it is looked for. Imports make some hundred thousand, all of which stay:
with the 700 of Python they are looked at again and again; once costs a fit a tenth of a second."""


def collect_seldom() -> None:
    """From now on, look for garbage only after many new objects: in processes that are ours."""
    gc.set_threshold(YOUNG)
