"""What is computed elsewhere: a task goes to a process or a machine, events come back.

A task is a function that can be imported where it runs; its arguments and its result are small,
what is large goes to files. `pool` and `cluster` are the two places.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

__all__ = ["ATTEMPTS", "Died", "Event", "Executor", "Finished", "Raised", "Task", "Tell", "Told"]

ATTEMPTS = 2
"""How often a task is begun whose process dies."""

Tell = Callable[[int], None]
"""Is told how far a task is, in frames."""


@dataclass(frozen=True)
class Task:
    """A call.

    Args:
        name: of this call, unlike any other's that is under way.
        function: is called as `function(*arguments, tell)`.
        arguments: can be pickled.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Finished:
    """A task has its result."""

    task: Task
    value: Any


@dataclass(frozen=True)
class Raised:
    """A task failed with an error that another attempt would meet again."""

    task: Task
    error: Exception


@dataclass(frozen=True)
class Died:
    """The process of a task ended without a result, as often as it was begun."""

    task: Task
    reason: str


@dataclass(frozen=True)
class Told:
    """A task says how far it is."""

    task: Task
    frames: int


Event = Finished | Raised | Died | Told


@runtime_checkable
class Executor(Protocol):
    """Where tasks run."""

    def submit(self, task: Task, *, first: bool = False) -> None:
        """Queue a task, before the others where it is `first`."""

    def events(self) -> Iterator[Event]:
        """What happens, until nothing is queued or under way. More may be queued meanwhile."""

    def each(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """`function` of every item, in order; for short work, such as reading a file once."""

    def close(self) -> None:
        """End what is under way."""
