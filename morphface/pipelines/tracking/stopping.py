"""Ending a long run when the user asks for it, between two pieces of work."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "stoppable"]


class Stop:
    """Whether the user asked for an end.

    Until `begun` is set an interruption is one at once, as there is nothing to keep; so is a
    second one.
    """

    def __init__(self) -> None:
        self.begun = False
        self.asked = False

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """What an interrupt signal does."""
        if self.asked or not self.begun:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def stoppable() -> Iterator[Stop]:
    """While it lasts, Ctrl-C sets `asked` instead of tearing the work apart.

    Outside the main thread, where signals cannot be caught, it changes nothing.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, stop.interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
