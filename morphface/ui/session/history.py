"""Values that were set, and how to get back to those before."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

__all__ = ["History"]

DEEPEST = 200
"""How many steps can be taken back."""


@dataclass(frozen=True)
class History:
    """Values now, before and after; every change is a new history.

    Args:
        now: values that are set.
        past: those before, the oldest first.
        future: those that were taken back, the next one first.
        held: what a hand is moving; its movement becomes one step.
    """

    now: Mapping[str, float] = field(default_factory=dict)
    past: tuple[Mapping[str, float], ...] = ()
    future: tuple[Mapping[str, float], ...] = ()
    held: str | None = None

    def put(self, values: Mapping[str, float], what: str, *, dragging: bool = False) -> "History":
        """Other values.

        Args:
            values: all that are set from now on.
            what: is moved.
            dragging: whether more of the same movement will come.
        """
        held = what if dragging else None
        before = self if self.held == what else self.released()
        if before.held == what:
            return replace(before, now=values, held=held)._tidy()
        if values == before.now and not dragging:
            return before
        past = (*before.past, before.now)[-DEEPEST:]
        return History(values, past, (), held)

    def released(self) -> "History":
        """After the hand has let go."""
        return replace(self, held=None)._tidy()

    def undone(self) -> "History":
        """One step back, if there is one."""
        here = self.released()
        if not here.past:
            return here
        return History(here.past[-1], here.past[:-1], (here.now, *here.future))

    def redone(self) -> "History":
        """One step forward, if there is one."""
        here = self.released()
        if not here.future:
            return here
        return History(here.future[0], (*here.past, here.now), here.future[1:])

    def _tidy(self) -> "History":
        """Without a movement that ended where it began."""
        if self.held is None and self.past and self.past[-1] == self.now:
            return replace(self, past=self.past[:-1])
        return self
