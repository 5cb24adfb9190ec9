"""Where a session is: the values that are set, and what its picture shows of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from morphface.ui.session.drags import Drag
from morphface.ui.session.history import History

__all__ = ["State"]


@dataclass(frozen=True)
class State:
    """Where a session is; every change is a new state.

    Args:
        zoom: how much of the photo is shown.
        history: values that are set, and those before.
        view: what is shown.
        before: whether it is shown as it was fitted.
        drag: that has begun and not ended.
        coarse: whether the picture may be worse, if it is quicker then.
    """

    zoom: str
    history: History = field(default_factory=History)
    view: str = "rendered"
    before: bool = False
    drag: Drag | None = None
    coarse: bool = False

    @property
    def given(self) -> Mapping[str, float]:
        """Values that are set, by the ids of their sliders."""
        return self.history.now

    def settled(self) -> "State":
        """No hand moves anything any more."""
        return replace(self, history=self.history.released(), drag=None, coarse=False)

    def at(self, history: History) -> "State":
        """With another history; what is shown is what it says now.

        Args:
            history: from now on.
        """
        return replace(self, history=history, before=False)

    def moved(self, values: Mapping[str, float], what: str, dragging: bool) -> "State":
        """With other values.

        Args:
            values: all that are set from now on.
            what: is moved.
            dragging: whether more of the same movement will come.
        """
        history = self.history.put(values, what, dragging=dragging)
        return replace(self.at(history), coarse=dragging)
